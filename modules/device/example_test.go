package device_test

import (
	"fmt"

	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/modules/device"
)

// Before another module pays for what a device said, it asks whether it may rely on that.
func Example() {
	l, err := moduletest.Play(
		"seoul account.open key=maker", "seoul account.open key=car",
		"maker device.register_model model=sedan-3 title=Sedan",
		"maker device.register_firmware model=sedan-3 number=1 version=1.0.0 digest=image",
		"signed by maker seoul\nmaker device.enrol device=car model=sedan-3 serial=81 owner=maker firmware=1",
		"busan device.challenge device=car",
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	car := moduletest.Address("car")
	fmt.Printf("%q\n", device.Rely(l.View, car, l.Now).Reason)

	d, _ := device.Get(l.View, car)
	moduletest.Do(l, "car", attest(d.GetNonce().GetValue(), "another image"))
	fmt.Printf("%q\n", device.Rely(l.View, car, l.Now).Reason)
	// Output:
	// ""
	// "it runs a firmware that its maker has not registered"
}
