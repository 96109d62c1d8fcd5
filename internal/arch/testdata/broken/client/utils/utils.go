// Package utils is named after nothing.
package utils // want `name it after what is inside`
