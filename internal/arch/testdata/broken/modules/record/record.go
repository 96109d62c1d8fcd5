// Package record is finished but for one thing.
package record

// Price of a record. TODO: find out. // want `finish it`
const Price = 1
