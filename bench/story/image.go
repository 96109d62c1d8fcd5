package story

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
)

// imageSize is how large a firmware image is, in bytes.
const imageSize = 64 << 10

// percentLine is where an image says how much of the speed that it measures the car reports; three digits follow.
const percentLine = "speed-percent "

// writeImage writes the maker's image: what stands for the program, and after it what its program would be.
func writeImage(file string) error {
	image := []byte("두레 세단 Dure Sedan\nversion " + version + "\n" + percentLine + "100\n")
	filler := rand.NewChaCha8([32]byte{}) // the same for everybody
	rest := make([]byte, imageSize-len(image))
	_, _ = filler.Read(rest) // never fails
	return os.WriteFile(file, append(image, rest...), 0o644)
}

// forge changes in an image how much of the speed is reported.
func forge(file string, percent int) error {
	image, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	at, err := percentAt(image)
	if err != nil {
		return err
	}
	copy(image[at:], fmt.Sprintf("%03d", percent))
	return os.WriteFile(file, image, 0o644)
}

// reported is what a car that runs an image says when it drives at a speed.
func reported(file string, speed int64) (int64, error) {
	image, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	at, err := percentAt(image)
	if err != nil {
		return 0, err
	}
	percent, err := strconv.ParseInt(string(image[at:at+3]), 10, 64)
	return speed * percent / 100, err
}

func percentAt(image []byte) (int, error) {
	at := bytes.Index(image, []byte(percentLine))
	if at < 0 || at+len(percentLine)+3 > len(image) {
		return 0, fmt.Errorf("the image has no %q", percentLine)
	}
	return at + len(percentLine), nil
}

// digest is the SHA-256 of an image, as the car measures it.
func digest(file string) ([32]byte, error) {
	image, err := os.ReadFile(file)
	return sha256.Sum256(image), err
}
