//go:build gc && !purego

#include "textflag.h"

// func prefetch(at *unsafe.Pointer, n, size int)
TEXT ·prefetch(SB), NOSPLIT, $0-24
	MOVQ at+0(FP), SI
	MOVQ n+8(FP), CX
	MOVQ size+16(FP), DX

place:
	SUBQ $1, CX
	JLT  done
	MOVQ (SI), DI
	ADDQ $8, SI
	LEAQ (DI)(DX*1), BX

line:
	PREFETCHT0 (DI)
	ADDQ $64, DI
	CMPQ DI, BX
	JCS  line
	JMP  place

done:
	RET
