//go:build gc && !purego

#include "textflag.h"

// SHA-256 (FIPS 180-4) by Intel's SHA extensions. The order of the instructions follows Gulley, Gopal, Yap, Feghali, Guilford and
// Wolrich, "Intel SHA Extensions: New Instructions Supporting the Secure Hash Algorithm on Intel Architecture Processors" (July 2013).
//
// A state is in two registers, as SHA256RNDS2 wants it: ABEF holds A, B, E, F and CDGH holds C, D, G, H, the first in the highest word.
// The sixteen words of the schedule that are needed next are in M0 to M3, the first in the lowest word of M0. Only the low 16 bytes of
// vector registers are used, by instructions of SSE, so that nothing is asked of AVX. The functions call nothing and have no frame.

// ROUNDS makes rounds 4i to 4i+3, whose words M holds. SHA256RNDS2 makes two, with word plus constant from the low half of X0; it puts
// the new A, B, E, F where C, D, G, H were and leaves the old A, B, E, F, which are the new C, D, G, H. So two of them leave each where it was.
// Each waits for the one before, four cycles: that is what a hash takes, and there is room beside it for everything else.
#define ROUNDS(i, ABEF, CDGH, M) \
	MOVO        M, X0; \
	PADDD       constants<>+16*i(SB), X0; \
	SHA256RNDS2 X0, ABEF, CDGH; \
	PSHUFD      $0x0e, X0, X0; \
	SHA256RNDS2 X0, CDGH, ABEF

// SCHEDULE puts words t to t+3 in M0 where t-16 to t-13 are; M1 to M3 hold those between. SHA256MSG1 adds the σ0 of t-15 to t-12,
// PALIGNR finds t-7 to t-4 across M2 and M3, SHA256MSG2 adds the σ1 of t-2 to t+1.
#define SCHEDULE(M0, M1, M2, M3, TMP) \
	SHA256MSG1 M1, M0; \
	MOVO       M3, TMP; \
	PALIGNR    $4, M2, TMP; \
	PADDD      TMP, M0; \
	SHA256MSG2 M3, M0

// COMPRESS makes the 64 rounds of a block, without the addition of the state before it.
#define COMPRESS(ABEF, CDGH, M0, M1, M2, M3, TMP) \
	ROUNDS(0, ABEF, CDGH, M0); \
	SCHEDULE(M0, M1, M2, M3, TMP); \
	ROUNDS(1, ABEF, CDGH, M1); \
	SCHEDULE(M1, M2, M3, M0, TMP); \
	ROUNDS(2, ABEF, CDGH, M2); \
	SCHEDULE(M2, M3, M0, M1, TMP); \
	ROUNDS(3, ABEF, CDGH, M3); \
	SCHEDULE(M3, M0, M1, M2, TMP); \
	ROUNDS(4, ABEF, CDGH, M0); \
	SCHEDULE(M0, M1, M2, M3, TMP); \
	ROUNDS(5, ABEF, CDGH, M1); \
	SCHEDULE(M1, M2, M3, M0, TMP); \
	ROUNDS(6, ABEF, CDGH, M2); \
	SCHEDULE(M2, M3, M0, M1, TMP); \
	ROUNDS(7, ABEF, CDGH, M3); \
	SCHEDULE(M3, M0, M1, M2, TMP); \
	ROUNDS(8, ABEF, CDGH, M0); \
	SCHEDULE(M0, M1, M2, M3, TMP); \
	ROUNDS(9, ABEF, CDGH, M1); \
	SCHEDULE(M1, M2, M3, M0, TMP); \
	ROUNDS(10, ABEF, CDGH, M2); \
	SCHEDULE(M2, M3, M0, M1, TMP); \
	ROUNDS(11, ABEF, CDGH, M3); \
	SCHEDULE(M3, M0, M1, M2, TMP); \
	ROUNDS(12, ABEF, CDGH, M0); \
	ROUNDS(13, ABEF, CDGH, M1); \
	ROUNDS(14, ABEF, CDGH, M2); \
	ROUNDS(15, ABEF, CDGH, M3)

// START is the state before the first block.
#define START(ABEF, CDGH) \
	MOVO initial<>+0(SB), ABEF; \
	MOVO initial<>+16(SB), CDGH

// STORE writes the state as a digest, A to H in big-endian, to the 32 bytes at OUT: both halves are turned round whole, and A to D come from their low halves.
#define STORE(ABEF, CDGH, TMP, OUT) \
	PSHUFB     reverse<>(SB), ABEF; \
	PSHUFB     reverse<>(SB), CDGH; \
	MOVO       ABEF, TMP; \
	PUNPCKLQDQ CDGH, ABEF; \
	PUNPCKHQDQ CDGH, TMP; \
	MOVOU      ABEF, (OUT); \
	MOVOU      TMP, 16(OUT)

// SWAP turns the bytes of each of 16 words round: messages are big-endian.
#define SWAP(M0, M1, M2, M3) \
	PSHUFB swap<>(SB), M0; \
	PSHUFB swap<>(SB), M1; \
	PSHUFB swap<>(SB), M2; \
	PSHUFB swap<>(SB), M3

// HEAD is the first block of a node's message: 0x01, left, and right without its last byte. The message lies one byte after left and right, so each of
// its parts is the last byte of 16 and 15 of the next: what PALIGNR takes from two registers. The digests are read by the same halves as STORE writes
// them: the processor hands these on at once, but would wait for memory to have both before it read across them.
#define HEAD(M0, M1, M2, M3, LEFT, RIGHT) \
	MOVOU   (LEFT), M0; \
	MOVOU   16(LEFT), M1; \
	MOVOU   (RIGHT), M2; \
	MOVOU   16(RIGHT), M3; \
	PALIGNR $15, M2, M3; \
	PALIGNR $15, M1, M2; \
	PALIGNR $15, M0, M1; \
	PSLLO   $1, M0; \
	POR     prefix<>(SB), M0; \
	SWAP(M0, M1, M2, M3)

// TAIL is the second: the last byte of right, 0x80, zeros, and the message's 520 bits.
#define TAIL(M0, M1, M2, M3, RIGHT, TMP) \
	MOVBLZX 31(RIGHT), TMP; \
	SHLL    $24, TMP; \
	ORL     $0x00800000, TMP; \
	MOVD    TMP, M0; \
	PXOR    M1, M1; \
	PXOR    M2, M2; \
	MOVO    length<>(SB), M3

// func node(out, left, right *[32]byte)
TEXT ·node(SB), NOSPLIT, $0-24
	MOVQ left+8(FP), SI
	MOVQ right+16(FP), DX
	MOVQ out+0(FP), DI
	START(X1, X2)
	HEAD(X3, X4, X5, X6, SI, DX)
	COMPRESS(X1, X2, X3, X4, X5, X6, X7)
	PADDD initial<>+0(SB), X1
	PADDD initial<>+16(SB), X2
	MOVO  X1, X8
	MOVO  X2, X9
	TAIL(X3, X4, X5, X6, DX, AX)
	COMPRESS(X1, X2, X3, X4, X5, X6, X7)
	PADDD X8, X1
	PADDD X9, X2
	STORE(X1, X2, X3, DI)
	RET

// func blocks(out *[32]byte, padded *[2 * block]byte, count int)
TEXT ·blocks(SB), NOSPLIT, $0-24
	MOVQ padded+8(FP), SI
	MOVQ count+16(FP), CX
	MOVQ out+0(FP), DI
	START(X1, X2)

next:
	MOVO  X1, X8
	MOVO  X2, X9
	MOVOU (SI), X3
	MOVOU 16(SI), X4
	MOVOU 32(SI), X5
	MOVOU 48(SI), X6
	SWAP(X3, X4, X5, X6)
	COMPRESS(X1, X2, X3, X4, X5, X6, X7)
	PADDD X8, X1
	PADDD X9, X2
	ADDQ  $64, SI
	DECQ  CX
	JNZ   next
	STORE(X1, X2, X3, DI)
	RET

// Data that instructions read by 16 bytes: the linker aligns what is as large.

// initial is the state at the start, FIPS 180-4, section 5.3.3.
DATA initial<>+0x00(SB)/8, $0x510e527f9b05688c
DATA initial<>+0x08(SB)/8, $0x6a09e667bb67ae85
DATA initial<>+0x10(SB)/8, $0x1f83d9ab5be0cd19
DATA initial<>+0x18(SB)/8, $0x3c6ef372a54ff53a
GLOBL initial<>(SB), RODATA|NOPTR, $32

// swap and reverse say for PSHUFB from where each byte comes.
DATA swap<>+0x00(SB)/8, $0x0405060700010203
DATA swap<>+0x08(SB)/8, $0x0c0d0e0f08090a0b
GLOBL swap<>(SB), RODATA|NOPTR, $16
DATA reverse<>+0x00(SB)/8, $0x08090a0b0c0d0e0f
DATA reverse<>+0x08(SB)/8, $0x0001020304050607
GLOBL reverse<>(SB), RODATA|NOPTR, $16

// prefix is the byte 0x01 before the children of a node; length is the last four words of its message.
DATA prefix<>+0x00(SB)/8, $1
DATA prefix<>+0x08(SB)/8, $0
GLOBL prefix<>(SB), RODATA|NOPTR, $16
DATA length<>+0x00(SB)/8, $0
DATA length<>+0x08(SB)/8, $0x0000020800000000
GLOBL length<>(SB), RODATA|NOPTR, $16

// constants are those of the rounds, FIPS 180-4, section 4.2.2.
DATA constants<>+0x000(SB)/8, $0x71374491428a2f98
DATA constants<>+0x008(SB)/8, $0xe9b5dba5b5c0fbcf
DATA constants<>+0x010(SB)/8, $0x59f111f13956c25b
DATA constants<>+0x018(SB)/8, $0xab1c5ed5923f82a4
DATA constants<>+0x020(SB)/8, $0x12835b01d807aa98
DATA constants<>+0x028(SB)/8, $0x550c7dc3243185be
DATA constants<>+0x030(SB)/8, $0x80deb1fe72be5d74
DATA constants<>+0x038(SB)/8, $0xc19bf1749bdc06a7
DATA constants<>+0x040(SB)/8, $0xefbe4786e49b69c1
DATA constants<>+0x048(SB)/8, $0x240ca1cc0fc19dc6
DATA constants<>+0x050(SB)/8, $0x4a7484aa2de92c6f
DATA constants<>+0x058(SB)/8, $0x76f988da5cb0a9dc
DATA constants<>+0x060(SB)/8, $0xa831c66d983e5152
DATA constants<>+0x068(SB)/8, $0xbf597fc7b00327c8
DATA constants<>+0x070(SB)/8, $0xd5a79147c6e00bf3
DATA constants<>+0x078(SB)/8, $0x1429296706ca6351
DATA constants<>+0x080(SB)/8, $0x2e1b213827b70a85
DATA constants<>+0x088(SB)/8, $0x53380d134d2c6dfc
DATA constants<>+0x090(SB)/8, $0x766a0abb650a7354
DATA constants<>+0x098(SB)/8, $0x92722c8581c2c92e
DATA constants<>+0x0a0(SB)/8, $0xa81a664ba2bfe8a1
DATA constants<>+0x0a8(SB)/8, $0xc76c51a3c24b8b70
DATA constants<>+0x0b0(SB)/8, $0xd6990624d192e819
DATA constants<>+0x0b8(SB)/8, $0x106aa070f40e3585
DATA constants<>+0x0c0(SB)/8, $0x1e376c0819a4c116
DATA constants<>+0x0c8(SB)/8, $0x34b0bcb52748774c
DATA constants<>+0x0d0(SB)/8, $0x4ed8aa4a391c0cb3
DATA constants<>+0x0d8(SB)/8, $0x682e6ff35b9cca4f
DATA constants<>+0x0e0(SB)/8, $0x78a5636f748f82ee
DATA constants<>+0x0e8(SB)/8, $0x8cc7020884c87814
DATA constants<>+0x0f0(SB)/8, $0xa4506ceb90befffa
DATA constants<>+0x0f8(SB)/8, $0xc67178f2bef9a3f7
GLOBL constants<>(SB), RODATA|NOPTR, $256
