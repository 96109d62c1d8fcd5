// Tool is a command, whose comment may begin as it likes.
package main

func main() {}
