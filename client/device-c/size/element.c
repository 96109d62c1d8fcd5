/* What signing readings with a key in a secure element takes; the driver of the element is not counted. */
#include "dure.h"

uint8_t message[DURE_READING_SIZE], device[20];
dure_key key;
dure_reading reading;
dure_element element;

int main(void)
{
	size_t size;
	dure_key_element(&key, element, NULL);
	return (int)dure_reading_sign(&reading, "demo-2da8ff9fb7bb26b9317bb98727263fde", device, &key, message, sizeof message, &size);
}
