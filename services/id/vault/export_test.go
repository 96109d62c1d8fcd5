package vault

// Wrapped is the wrapped key of the only person.
func (v *Vault) Wrapped() (wrapped []byte, err error) {
	err = v.keys.QueryRow(`SELECT wrapped FROM person`).Scan(&wrapped)
	return wrapped, err
}
