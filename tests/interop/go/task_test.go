// SPDX-License-Identifier: Apache-2.0

package interop

import (
	"sort"
	"strings"
	"testing"

	"github.com/dapr/durabletask-go/workflow"
)

func TestChainOfThreePassesEachResultOn(t *testing.T) {
	s := useShared(t)
	id := "chain-of-three"
	returnedID, err := s.client.ScheduleWorkflow(
		limited(t), "chain", workflow.WithInstanceID(id), workflow.WithInput(3),
	)
	requireNone(t, err)
	metadata := s.waitForEnd(t, id)

	expectEqual(t, "the returned ID", returnedID, id)
	expectEqual(t, "the status", metadata.String(), "COMPLETED")
	expectEqual(t, "the name", metadata.Name, "chain")
	expectEqual(t, "the input", metadata.Input.GetValue(), "3")
	expectEqual(t, "the output", metadata.Output.GetValue(), "[4,8,64]")
	expectEqual(t, "the custom status", metadata.CustomStatus.GetValue(), "calling three")
	calls := s.callsOf(t, id, "")
	expectEqual(t, "the calls", namesOf(calls), []string{"addOne", "double", "square"})
	expectEqual(t, "their inputs", numbersOf(calls), []int{3, 4, 8})
}

func TestChainRunsForAClientOnTheSecondPort(t *testing.T) {
	s := useShared(t)
	client, closeClient, err := newClient(s.grpcPort)
	requireNone(t, err)
	defer closeClient()
	id, err := client.ScheduleWorkflow(limited(t), "chain", workflow.WithInput(1))
	requireNone(t, err)
	metadata, err := client.WaitForWorkflowCompletion(limited(t), id)
	requireNone(t, err)

	expectEqual(t, "the output", metadata.Output.GetValue(), "[2,4,16]")
}

func TestFanOutCalls100ActivitiesOnceEach(t *testing.T) {
	s := useShared(t)
	id := s.schedule(t, "fanOut", 100)

	expectEqual(t, "the sum", waitForOutput[int](t, s, id), 338_350)
	inputs := numbersOf(s.callsOf(t, id, "square"))
	sort.Ints(inputs)
	var want []int
	for number := 1; number <= 100; number++ {
		want = append(want, number)
	}
	expectEqual(t, "the inputs", inputs, want)
}

func TestRetryPolicyRepeatsAFailingActivity(t *testing.T) {
	s := useShared(t)
	id := s.schedule(t, "retried", "done")

	expectEqual(t, "the output", waitForOutput[string](t, s, id), "done at attempt 3")
	attempts := s.callsOf(t, id, "failTwice")
	if len(attempts) != 3 {
		t.Fatalf("%d attempts; want 3", len(attempts))
	}
	if wait := attempts[1].AtMs - attempts[0].AtMs; wait < 500 {
		t.Errorf("the second attempt came after %d ms; want 500 or more", wait)
	}
	if wait := attempts[2].AtMs - attempts[1].AtMs; wait < 1000 {
		t.Errorf("the third attempt came after %d ms; want 1000 or more", wait)
	}
}

func TestChildWorkflowsReturnTheirResults(t *testing.T) {
	s := useShared(t)
	id := s.schedule(t, "parent", []int{1, 2, 3})
	childID := id + "-child"

	want := [][]int{{2, 4, 16}, {3, 6, 36}, {4, 8, 64}}
	expectEqual(t, "the output", waitForOutput[[][]int](t, s, id), want)
	expectEqual(t, "the child's output", waitForOutput[[]int](t, s, childID), want[0])
	expectEqual(t, "the child's calls", numbersOf(s.callsOf(t, childID, "")), []int{1, 2, 4})
	expectEqual(t, "the parent's own calls", len(s.callsOf(t, id, "")), 0)
}

func TestFailureOfAChildIsCaughtByItsParent(t *testing.T) {
	s := useShared(t)
	id := s.schedule(t, "parentOfBroken", nil)

	output := waitForOutput[string](t, s, id)
	if !strings.HasPrefix(output, "caught: ") || !strings.Contains(output, "child has no luck") {
		t.Errorf("the output is %q", output)
	}
}
