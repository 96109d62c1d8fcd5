package stream_test

import (
	"fmt"

	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/modules/all"
	"github.com/dureledger/dure/modules/stream"
)

// Two meters report to a feed; whoever needs the value asks what it is, and what it rests on.
func Example() {
	l, err := moduletest.Play(
		"seoul account.open key=maker", "seoul account.open key=north", "seoul account.open key=south",
		"maker device.register_model model=thermo title=Thermometer",
		"maker device.register_firmware model=thermo number=1 version=1.0.0 digest=image",
		"signed by maker seoul\nmaker device.enrol device=north model=thermo serial=1 owner=maker firmware=1",
		"signed by maker seoul\nmaker device.enrol device=south model=thermo serial=2 owner=maker firmware=1",
		"busan stream.open feed=heat terms.title=Temperature terms.unit=Cel terms.decimals=1 terms.least=-500 terms.most=600 terms.stale_ms=60000 terms.min_sources=2",
		"busan stream.admit feed=heat devices=north devices=south",
		"seoul stream.anchor read=north,1.1,heat,21.5,Cel,0s read=south,1.1,heat,22,Cel,0s read=south,1.2,heat,99,Cel,0s",
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	a, err := stream.Value(l.View, all.Devices{}, "heat", l.Now, 0)
	fmt.Println(reading.FormatUnits(a.Value, int(a.Decimals)), a.Unit, "of", a.Counted, err)

	south, _ := stream.GetReport(l.View, "heat", moduletest.Address("south"))
	fmt.Println("south:", south.GetAccepted(), "accepted,", south.GetQuarantined(), "quarantined")

	_, err = stream.Value(l.View, all.Devices{}, "heat", l.Now+120_000, 0)
	fmt.Println(err)
	// Output:
	// 21.5 Cel of 2 <nil>
	// south: 1 accepted, 1 quarantined
	// The feed heat has no value: of 2 sources the last reading is too old, and it needs 2. [stream.stale]
}
