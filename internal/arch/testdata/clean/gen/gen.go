package gen

// Raw is generated code, which no rule reads.
var Raw = []byte{1}
