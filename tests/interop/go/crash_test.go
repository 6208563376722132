// SPDX-License-Identifier: Apache-2.0

package interop

import (
	"testing"
	"time"
)

// expectOneRound checks that only the held activity may have run twice.
func (s *system) expectOneRound(t *testing.T, id string) {
	t.Helper()
	expectEqual(t, "the inputs of addOne", numbersOf(s.callsOf(t, id, "addOne")), []int{1})
	expectEqual(t, "the inputs of double", numbersOf(s.callsOf(t, id, "double")), []int{20})
}

func TestWorkflowFinishesAfterItsWorkerWasKilledInAnActivity(t *testing.T) {
	s := useOwn(t)
	id := s.schedule(t, "gated", 1)
	s.waitForCall(t, id, "passGate")
	s.worker.kill()
	expectEqual(t, "the status", s.statusOf(t, id), "RUNNING")

	requireNone(t, s.gate.Open())
	requireNone(t, s.worker.start())
	expectEqual(t, "the output", waitForOutput[[]int](t, s, id), []int{2, 20, 40})
	s.expectOneRound(t, id)
	calls := s.callsOf(t, id, "passGate")
	if len(calls) != 2 || calls[0].PID == calls[1].PID {
		t.Errorf("the calls of passGate are %v; want one of each worker", calls)
	}
}

func TestWorkflowFinishesAfterTheServerWasKilledInAnActivity(t *testing.T) {
	s := useOwn(t)
	id := s.schedule(t, "gated", 1)
	s.waitForCall(t, id, "passGate")
	s.server.kill()
	requireNone(t, s.gate.Open())
	requireNone(t, s.server.start())

	expectEqual(t, "the output", waitForOutput[[]int](t, s, id), []int{2, 20, 40})
	s.expectOneRound(t, id)
	// The result of the activity may be lost with the server; then it is called once more.
	if calls := s.callsOf(t, id, "passGate"); len(calls) > 2 {
		t.Errorf("the calls of passGate are %v; want at most two", calls)
	}
	for _, call := range s.callsOf(t, id, "") {
		expectEqual(t, "the worker, which was never replaced,", call.PID, s.worker.command.Process.Pid)
	}
}

func TestWorkerReconnectsAfterTheServerWasStoppedAndStarted(t *testing.T) {
	s := useOwn(t)
	finishedID := s.schedule(t, "chain", 3)
	waitForOutput[[]int](t, s, finishedID)
	s.server.stop()
	requireNone(t, s.server.start())
	s.waitForAnswer(t, finishedID)

	id := s.schedule(t, "chain", 3)
	expectEqual(t, "the output", waitForOutput[[]int](t, s, id), []int{4, 8, 64})
}

func TestTimerAndFinishedResultsOutliveAKilledServer(t *testing.T) {
	s := useOwn(t)
	finishedID := s.schedule(t, "chain", 3)
	waitForOutput[[]int](t, s, finishedID)
	id := s.schedule(t, "nap", 3)
	s.waitInVain(t, id, time.Second)
	s.server.kill()
	requireNone(t, s.server.start())

	if sleptMs := waitForOutput[int](t, s, id); sleptMs < 3000 {
		t.Errorf("slept %d ms; want 3000 or more", sleptMs)
	}
	expectEqual(t, "the finished output", waitForOutput[[]int](t, s, finishedID), []int{4, 8, 64})
	expectEqual(t, "the number of its calls", len(s.callsOf(t, finishedID, "")), 3)
}

func TestEventRaisedBeforeTheServerWasKilledIsNotLost(t *testing.T) {
	s := useOwn(t)
	id := s.schedule(t, "approval", 60)
	requireNone(t, s.client.SuspendWorkflow(limited(t), id, ""))
	s.raise(t, id, "decision", "approved")
	s.server.kill()
	requireNone(t, s.server.start())
	s.waitForAnswer(t, id)
	expectEqual(t, "the status", s.statusOf(t, id), "SUSPENDED")

	s.resume(t, id)
	expectEqual(t, "the output", waitForOutput[string](t, s, id), "filed approved")
	expectEqual(t, "the calls", namesOf(s.callsOf(t, id, "")), []string{"fileDecision"})
}
