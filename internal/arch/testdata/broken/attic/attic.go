// Package attic has no place in the house.
package attic // want `in no row`
