package id

// What tests of attacks look at.
var (
	Outward     = outward
	OnlyOutward = onlyOutward
)
