// SPDX-License-Identifier: Apache-2.0

package interop

import (
	"testing"

	"github.com/dapr/durabletask-go/workflow"

	"pawl/tests/interop/go/state"
)

// deploy stops the worker and starts it with, or without, the patches of the workflow "amended".
func (s *system) deploy(t *testing.T, hasPatches bool) {
	t.Helper()
	s.worker.stop()
	arguments := s.worker.arguments[:4]
	if hasPatches {
		arguments = append(arguments[:4:4], "-patched")
	}
	s.worker.arguments = arguments
	requireNone(t, s.worker.start())
}

// waitForWait returns once the instance has come to its wait.
func (s *system) waitForWait(t *testing.T, id string) {
	t.Helper()
	isWaiting := func() bool {
		metadata, err := s.client.FetchWorkflowMetadata(limited(t), id, workflow.WithFetchPayloads(true))
		return err == nil && metadata.CustomStatus.GetValue() == "waiting"
	}
	requireNone(t, state.WaitUntil(isWaiting, id+" to wait", state.WaitLimit))
}

// waitForStatus returns once the instance has the status.
func (s *system) waitForStatus(t *testing.T, id, status string) {
	t.Helper()
	hasStatus := func() bool { return s.statusOf(t, id) == status }
	requireNone(t, state.WaitUntil(hasStatus, id+" to be "+status, state.WaitLimit))
}

func TestPatchIsTakenWhereTheInstanceHasNotBeenYet(t *testing.T) {
	s := useOwn(t)
	old := s.schedule(t, "amended", 3)
	s.waitForWait(t, old)
	s.deploy(t, true)
	young := s.schedule(t, "amended", 3)
	s.waitForWait(t, young)
	for _, id := range []string{old, young} {
		requireNone(t, s.client.RaiseEvent(limited(t), id, "go"))
	}

	expectEqual(t, "the output", waitForOutput[[]int](t, s, old), []int{4, 16})
	expectEqual(t, "the output", waitForOutput[[]int](t, s, young), []int{4, 8, 64})
	expectEqual(t, "the calls", namesOf(s.callsOf(t, old, "")), []string{"addOne", "square"})
	expectEqual(
		t, "the calls", namesOf(s.callsOf(t, young, "")), []string{"addOne", "double", "square"},
	)
}

func TestInstanceWithPatchesStallsUntilAWorkerHasThem(t *testing.T) {
	s := useOwn(t)
	s.deploy(t, true)
	id := s.schedule(t, "amended", 3)
	s.waitForWait(t, id)
	s.deploy(t, false)
	requireNone(t, s.client.RaiseEvent(limited(t), id, "go"))
	s.waitForStatus(t, id, "STALLED")
	s.deploy(t, true)

	expectEqual(t, "the output", waitForOutput[[]int](t, s, id), []int{4, 8, 64})
	expectEqual(
		t, "the calls", namesOf(s.callsOf(t, id, "")), []string{"addOne", "double", "square"},
	)
}
