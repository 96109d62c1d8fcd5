//go:build !unix

package witness

// Lock does nothing where files cannot be locked as on Unix: whoever runs the witness sees to it that it runs once.
func Lock(string) (unlock func(), err error) { return func() {}, nil }

// syncFolder does nothing where folders cannot be synced.
func syncFolder(string) error { return nil }
