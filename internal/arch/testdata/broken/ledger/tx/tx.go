package tx // want `no comment that begins "Package tx "`

import (
	"math"
	"math/rand/v2" // want `no package math/rand/v2`
	"os"           // want `no package os`
	"sync/atomic"  // want `no package sync/atomic`
	"time"         // want `no package time`
	"unsafe"       // want `no package unsafe`

	"example.com/broken/modules/asset/price" // want `ledger may not import modules/asset/price`
)

var clock atomic.Int64

func init() { // want `no init function`
	go func() { // want `no goroutine`
		clock.Store(time.Now().Unix() + rand.Int64() + int64(len(os.Args)) + price.Price)
	}()
}

// Decode has no fuzz target.
func Decode(raw []byte) int { return len(raw) } // want `no fuzz target`

func wait(c chan int) int { // want `no channel`
	select { // want `no select`
	case n := <-c: // want `no channel`
		return n
	}
}

var word = unsafe.Sizeof(0)

func half(n float64) float64 { // want `no float64`
	return math.Sqrt(n * 0.5) // want `no float`
}

func floor(n int) bool {
	return math.Signbit(math.Log2(3)) // want `no float value`
}
