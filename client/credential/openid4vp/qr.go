package openid4vp

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// Code is a QR code (ISO/IEC 18004).
type Code struct{ matrix *gozxing.BitMatrix }

// QR makes the QR code of a link, with its quiet zone. About 2,300 bytes is the most.
func QR(text string) (*Code, error) {
	matrix, err := qrcode.NewQRCodeWriter().Encode(text, gozxing.BarcodeFormat_QR_CODE, 0, 0, map[gozxing.EncodeHintType]any{
		gozxing.EncodeHintType_ERROR_CORRECTION: "M", gozxing.EncodeHintType_MARGIN: 4,
	})
	if err != nil {
		return nil, fmt.Errorf("openid4vp: the QR code: %w", err)
	}
	return &Code{matrix}, nil
}

// Text draws the code with half blocks, two rows of it a line, to be shown dark on light.
func (c *Code) Text() string {
	var b strings.Builder
	blocks := map[[2]bool]string{{false, false}: " ", {true, false}: "▀", {false, true}: "▄", {true, true}: "█"}
	for y := 0; y < c.matrix.GetHeight(); y += 2 {
		for x := range c.matrix.GetWidth() {
			b.WriteString(blocks[[2]bool{c.matrix.Get(x, y), y+1 < c.matrix.GetHeight() && c.matrix.Get(x, y+1)}])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// PNG draws the code with so many pixels a module.
func (c *Code) PNG(scale int) ([]byte, error) {
	scale = max(1, min(scale, 32))
	picture := image.NewPaletted(image.Rect(0, 0, c.matrix.GetWidth()*scale, c.matrix.GetHeight()*scale), color.Palette{color.White, color.Black})
	for y := range picture.Rect.Dy() {
		for x := range picture.Rect.Dx() {
			if c.matrix.Get(x/scale, y/scale) {
				picture.SetColorIndex(x, y, 1)
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		return nil, fmt.Errorf("openid4vp: the QR code: %w", err)
	}
	return b.Bytes(), nil
}
