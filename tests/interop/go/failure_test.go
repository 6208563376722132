// SPDX-License-Identifier: Apache-2.0

package interop

import (
	"strings"
	"testing"
)

func TestFailedWorkflowShowsTypeAndMessageOfItsError(t *testing.T) {
	s := useShared(t)
	metadata := s.waitForEnd(t, s.schedule(t, "broken", "no luck today"))

	expectEqual(t, "the status", metadata.String(), "FAILED")
	expectEqual(t, "the type", metadata.FailureDetails.GetErrorType(), "*errors.errorString")
	expectEqual(t, "the message", metadata.FailureDetails.GetErrorMessage(), "no luck today")
}

func TestFailureOfAnActivityThatNobodyCaughtIsShown(t *testing.T) {
	s := useShared(t)
	id := s.schedule(t, "uncaught", "disk on fire")
	metadata := s.waitForEnd(t, id)

	expectEqual(t, "the status", metadata.String(), "FAILED")
	message := metadata.FailureDetails.GetErrorMessage()
	if !strings.Contains(message, "disk on fire") {
		t.Errorf("the message is %q", message)
	}
	expectEqual(t, "the number of calls", len(s.callsOf(t, id, "failAlways")), 1)
}

func TestWorkflowThatNoWorkerKnowsFails(t *testing.T) {
	s := useShared(t)
	metadata := s.waitForEnd(t, s.schedule(t, "nobodyWroteThis", nil))

	expectEqual(t, "the status", metadata.String(), "FAILED")
	message := metadata.FailureDetails.GetErrorMessage()
	if !strings.Contains(message, "nobodyWroteThis") {
		t.Errorf("the message is %q", message)
	}
}
