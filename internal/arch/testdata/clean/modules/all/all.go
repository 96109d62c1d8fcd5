// Package all lists the modules and may import them.
package all

import "example.com/clean/modules/asset"

// Size of the asset module.
var Size = asset.Size()
