// SPDX-License-Identifier: Apache-2.0

package interop

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dapr/durabletask-go/api"
	"github.com/dapr/durabletask-go/workflow"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestTerminateEndsAWaitingWorkflowWithTheGivenOutput(t *testing.T) {
	s := useShared(t)
	id := s.schedule(t, "approval", 60)
	output := workflow.WithOutput("stopped by the test")
	requireNone(t, s.client.TerminateWorkflow(limited(t), id, output))
	metadata := s.waitForEnd(t, id)

	expectEqual(t, "the status", metadata.String(), "TERMINATED")
	expectEqual(t, "the output", metadata.Output.GetValue(), `"stopped by the test"`)
	expectEqual(t, "the number of calls", len(s.callsOf(t, id, "")), 0)
}

func TestTerminateReachesChildWorkflows(t *testing.T) {
	s := useShared(t)
	id := s.schedule(t, "parentOfWaiting", nil)
	childID := id + "-child"
	_, err := s.client.WaitForWorkflowStart(limited(t), childID)
	requireNone(t, err)
	requireNone(t, s.client.TerminateWorkflow(limited(t), id))

	expectEqual(t, "the status", s.waitForEnd(t, id).String(), "TERMINATED")
	expectEqual(t, "the child's status", s.waitForEnd(t, childID).String(), "TERMINATED")
}

func TestEventRaisedWhileSuspendedIsHeldUntilResume(t *testing.T) {
	s := useShared(t)
	id := s.schedule(t, "approval", 60)
	requireNone(t, s.client.SuspendWorkflow(limited(t), id, "the test wants it"))
	expectEqual(t, "the status", s.statusOf(t, id), "SUSPENDED")

	s.raise(t, id, "decision", "approved")
	s.waitInVain(t, id, 2*time.Second)
	expectEqual(t, "the status", s.statusOf(t, id), "SUSPENDED")
	expectEqual(t, "the number of calls", len(s.callsOf(t, id, "")), 0)

	requireNone(t, s.client.ResumeWorkflow(limited(t), id, "the test wants it"))
	expectEqual(t, "the output", waitForOutput[string](t, s, id), "filed approved")
	expectEqual(t, "the number of calls", len(s.callsOf(t, id, "fileDecision")), 1)
}

func TestResumedWorkflowGoesOnWaiting(t *testing.T) {
	s := useShared(t)
	id := s.schedule(t, "approval", 60)
	requireNone(t, s.client.SuspendWorkflow(limited(t), id, ""))
	requireNone(t, s.client.ResumeWorkflow(limited(t), id, ""))
	expectEqual(t, "the status", s.statusOf(t, id), "RUNNING")

	s.raise(t, id, "decision", "late")
	expectEqual(t, "the output", waitForOutput[string](t, s, id), "filed late")
}

func TestPurgeMakesAFinishedInstanceUnknown(t *testing.T) {
	s := useShared(t)
	id := s.schedule(t, "chain", 3)
	waitForOutput[[]int](t, s, id)
	requireNone(t, s.client.PurgeWorkflowState(limited(t), id))

	_, err := s.client.FetchWorkflowMetadata(limited(t), id)
	if !errors.Is(err, api.ErrInstanceNotFound) {
		t.Errorf("the error is %v; want %v", err, api.ErrInstanceNotFound)
	}
}

func TestPurgeOfARunningInstanceIsRefused(t *testing.T) {
	s := useShared(t)
	id := s.schedule(t, "approval", 60)
	if err := s.client.PurgeWorkflowState(limited(t), id); err == nil {
		t.Error("a running instance was purged")
	}

	expectEqual(t, "the status", s.statusOf(t, id), "RUNNING")
}

func TestStartUnderTheIDOfAnActiveInstanceIsRefused(t *testing.T) {
	s := useShared(t)
	id := s.schedule(t, "approval", 60)
	_, err := s.client.ScheduleWorkflow(
		limited(t), "chain", workflow.WithInstanceID(id), workflow.WithInput(3),
	)
	refusal, _ := status.FromError(err)
	expectEqual(t, "the code", refusal.Code(), codes.AlreadyExists)
	if !strings.Contains(refusal.Message(), "already exists") {
		t.Errorf("the message is %q", refusal.Message())
	}

	s.raise(t, id, "decision", "approved")
	expectEqual(t, "the output", waitForOutput[string](t, s, id), "filed approved")
	expectEqual(t, "the calls", namesOf(s.callsOf(t, id, "")), []string{"fileDecision"})
}

func TestStartUnderTheIDOfAFinishedInstanceBeginsANewOne(t *testing.T) {
	s := useShared(t)
	id := s.schedule(t, "chain", 3)
	expectEqual(t, "the first output", waitForOutput[[]int](t, s, id), []int{4, 8, 64})
	_, err := s.client.ScheduleWorkflow(
		limited(t), "chain", workflow.WithInstanceID(id), workflow.WithInput(1),
	)
	requireNone(t, err)

	expectEqual(t, "the second output", waitForOutput[[]int](t, s, id), []int{2, 4, 16})
	expectEqual(t, "the inputs", numbersOf(s.callsOf(t, id, "addOne")), []int{3, 1})
}
