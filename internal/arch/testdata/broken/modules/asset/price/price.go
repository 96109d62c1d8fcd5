// Package price imports another module.
package price

import "example.com/broken/modules/record" // want `modules/asset may not import modules/record`

// Price of a record.
const Price = record.Price
