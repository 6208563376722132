// SPDX-License-Identifier: Apache-2.0

package state

import (
	"os"
	"path/filepath"
	"time"
)

const gateLimit = 60 * time.Second

// Gate holds an activity until the test opens it: a file, so that it works across processes.
type Gate struct {
	path string
}

// NewGate gives the gate of a folder.
func NewGate(folder string) Gate {
	return Gate{filepath.Join(folder, "gate-is-open")}
}

// Open lets every activity pass, now and later.
func (g Gate) Open() error {
	return os.WriteFile(g.path, nil, 0o600)
}

// Wait returns once the gate is open.
func (g Gate) Wait() error {
	isOpen := func() bool {
		_, err := os.Stat(g.path)
		return err == nil
	}
	return WaitUntil(isOpen, "the gate to open", gateLimit)
}
