// SPDX-License-Identifier: Apache-2.0

package interop

import "testing"

func TestHistoriesAreHandedOnAsFarAsAsked(t *testing.T) {
	s := useShared(t)
	id := s.schedule(t, "ancestor", nil)

	want := [][]string{{"ancestor 2"}, {}, {"heir 6"}, {"ancestor 2", "heir 6"}}
	expectEqual(t, "what was seen", waitForOutput[[][]string](t, s, id), want)
}
