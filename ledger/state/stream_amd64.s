//go:build gc && !purego

#include "textflag.h"

// func stream(to, from unsafe.Pointer, size int)
TEXT ·stream(SB), NOSPLIT, $0-24
	MOVQ to+0(FP), DI
	MOVQ from+8(FP), SI
	MOVQ size+16(FP), CX

	// The first line is read soon.
	MOVOU (SI), X0
	MOVOU 16(SI), X1
	MOVOU 32(SI), X2
	MOVOU 48(SI), X3
	MOVOU X0, (DI)
	MOVOU X1, 16(DI)
	MOVOU X2, 32(DI)
	MOVOU X3, 48(DI)

line:
	ADDQ   $64, SI
	ADDQ   $64, DI
	SUBQ   $64, CX
	JLE    done
	MOVOU  (SI), X0
	MOVOU  16(SI), X1
	MOVOU  32(SI), X2
	MOVOU  48(SI), X3
	MOVNTO X0, (DI)
	MOVNTO X1, 16(DI)
	MOVNTO X2, 32(DI)
	MOVNTO X3, 48(DI)
	JMP    line

done:
	RET

// func streamed()
TEXT ·streamed(SB), NOSPLIT, $0-0
	SFENCE
	RET
