package openid4vp

import (
	"bytes"
	"image/png"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// readBack makes a QR code of a text and reads it from its picture. Told that the picture is nothing but a code, the reader
// takes its modules as they lie; searched for as in a photograph, one code of 40 of version 30 was missed.
func readBack(t *testing.T, text string) *Code {
	t.Helper()
	code, err := QR(text)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := code.PNG(4)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(decoded)
	if err != nil {
		t.Fatal(err)
	}
	read, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil || read.GetText() != text {
		t.Fatalf("%v %v", read, err)
	}
	return code
}

// TestQRCredential: a credential fits one code.
func TestQRCredential(t *testing.T) { readBack(t, resident(t).String()) }

// TestQR reads the code from its picture and answers from another device.
func TestQR(t *testing.T) {
	s := newSite(t, nil)
	b := s.begin(t, "")
	code := readBack(t, b.URI)
	if rows := strings.Count(code.Text(), "\n"); rows != (code.matrix.GetHeight()+1)/2 || !strings.Contains(code.Text(), "█") {
		t.Errorf("%d rows\n%s", rows, code.Text())
	}
	if next, err := s.answer(t, s.fetch(t, b.URI)); err != nil || next != "" {
		t.Fatalf("%s %v", next, err)
	}
	if result, err := s.Result(b.ID, ""); err != nil || result.Refused {
		t.Errorf("%+v %v", result, err)
	}
}
