// SPDX-License-Identifier: Apache-2.0

package interop

import (
	"testing"
	"time"

	"github.com/dapr/durabletask-go/workflow"
)

// raise raises an event with a text.
func (s *system) raise(t *testing.T, id, name, text string) {
	t.Helper()
	requireNone(t, s.client.RaiseEvent(limited(t), id, name, workflow.WithEventPayload(text)))
}

func TestEventInTimeIsTaken(t *testing.T) {
	for _, name := range []string{"decision", "DECISION"} {
		s := useShared(t)
		id := s.schedule(t, "approval", 60)
		s.raise(t, id, name, "approved")

		expectEqual(t, "the output", waitForOutput[string](t, s, id), "filed approved")
		calls := s.callsOf(t, id, "")
		if len(calls) != 1 || calls[0].Text != "approved" {
			t.Errorf("the calls are %v", calls)
		}
	}
}

func TestEventThatDoesNotComeTimesOut(t *testing.T) {
	s := useShared(t)
	id := s.schedule(t, "approval", 1)

	expectEqual(t, "the output", waitForOutput[string](t, s, id), "expired")
	expectEqual(t, "the number of calls", len(s.callsOf(t, id, "")), 0)
}

func TestTimerFiresNoEarlierThanAsked(t *testing.T) {
	s := useShared(t)
	start := time.Now()
	id := s.schedule(t, "nap", 2)
	sleptMs := waitForOutput[int](t, s, id)
	waited := time.Since(start)

	if sleptMs < 2000 || waited < 2*time.Second {
		t.Errorf("slept %d ms in %s; want 2 s or more", sleptMs, waited)
	}
}

func TestContinueAsNewHandsItsInputToFiveExecutions(t *testing.T) {
	s := useShared(t)
	id := s.schedule(t, "countdown", map[string]any{"Left": 5})

	expectEqual(t, "the output", waitForOutput[[]int](t, s, id), []int{6, 5, 4, 3, 2})
	expectEqual(t, "the inputs", numbersOf(s.callsOf(t, id, "")), []int{5, 4, 3, 2, 1})
}

func TestContinueAsNewKeepsEventsThatWereNotYetTaken(t *testing.T) {
	s := useShared(t)
	id := s.schedule(t, "collect", []string{})
	items := []string{"first", "second", "third"}
	for _, item := range items {
		s.raise(t, id, "item", item)
	}

	expectEqual(t, "the output", waitForOutput[[]string](t, s, id), items)
}
