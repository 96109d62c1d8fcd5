# What to compile, for a Makefile of your own: set DURE to this folder and include this file.
#
#	DURE := client/device-c
#	include $(DURE)/sources.mk
#
# Then compile DURE_SOURCES with DURE_FLAGS. Link with -Wl,--gc-sections, so that what you do not call takes no flash.
# With DURE_P256=0 the library can do nothing with P-256 keys in memory, and is smaller.

DURE      ?= .
DURE_P256 ?= 1

DURE_FLAGS := -std=c99 -ffunction-sections -fdata-sections -DCONFIGURED=1 -DSODIUM_STATIC -I$(DURE)/include \
	-isystem $(DURE)/third_party/libsodium/include/sodium -isystem $(DURE)/third_party/bearssl/inc -isystem $(DURE)/third_party/bearssl/src

DURE_OWN := $(addprefix $(DURE)/src/,base64.c bytes.c checkpoint.c cosignature.c ed25519.c evidence.c hash.c key.c note.c p256.c reading.c receipt.c set.c text.c)

DURE_THIRD := $(DURE)/third_party/libsodium/crypto_core/ed25519/ref10/ed25519_ref10.c \
	$(addprefix $(DURE)/third_party/bearssl/src/,hash/sha2small.c hash/sha2big.c codec/dec32be.c codec/dec64be.c codec/enc32be.c codec/enc64be.c)

ifneq ($(DURE_P256),0)
DURE_THIRD += $(addprefix $(DURE)/third_party/bearssl/src/,codec/ccopy.c mac/hmac.c rand/hmac_drbg.c \
	ec/ec_p256_m15.c ec/ec_secp256r1.c ec/ec_secp384r1.c ec/ec_secp521r1.c ec/ecdsa_i15_bits.c ec/ecdsa_i15_sign_raw.c ec/ecdsa_i15_vrfy_raw.c \
	int/i15_add.c int/i15_bitlen.c int/i15_decmod.c int/i15_decode.c int/i15_encode.c int/i15_fmont.c int/i15_iszero.c int/i15_modpow.c int/i15_montmul.c \
	int/i15_muladd.c int/i15_ninv15.c int/i15_rshift.c int/i15_sub.c int/i15_tmont.c)
else
DURE_FLAGS += -DDURE_NO_P256
endif

DURE_SOURCES := $(DURE_OWN) $(DURE_THIRD)
