// SPDX-License-Identifier: Apache-2.0

// Package state holds what the test process and the worker processes share: files in one folder.
package state

import (
	"fmt"
	"time"
)

// WaitLimit is how long a wait of the suite may last.
const WaitLimit = 60 * time.Second

// WaitUntil returns once holds() is true, for things that announce themselves in no other way. It
// returns an error that names what when that is not the case within the limit.
func WaitUntil(holds func() bool, what string, limit time.Duration) error {
	deadline := time.Now().Add(limit)
	for !holds() {
		if time.Now().After(deadline) {
			return fmt.Errorf("waited %s in vain for %s", limit, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil
}
