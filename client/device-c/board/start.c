/* The first code of the emulated board: a vector table, and on to the C library's own start by semihosting. */
extern char __stack;
extern void _start(void);
void reset(void);

void reset(void)
{
	_start();
}

static void fault(void)
{
	for (;;)
		continue;
}

static const struct {
	void *stack;
	void (*vector[15])(void);
} vectors __attribute__((section(".vectors"), used)) = {
	&__stack, {reset, fault, fault, fault, fault, fault, 0, 0, 0, 0, fault, fault, 0, fault, fault},
};
