// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"

	"github.com/dapr/durabletask-go/workflow"
)

// addLineage registers workflows that hand their histories on, and an activity that says what it sees.
func addLineage(registry *workflow.Registry) error {
	return errors.Join(
		registry.AddWorkflowN("ancestor", ancestor),
		registry.AddWorkflowN("heir", heir),
		registry.AddActivityN("witness", func(ctx workflow.ActivityContext) (any, error) {
			return seenIn(ctx.GetPropagatedHistory()), nil
		}),
	)
}

// ancestor gives a child its history, once it has one, and gives what the child gave.
func ancestor(ctx *workflow.WorkflowContext) (any, error) {
	if _, err := callInOrder(ctx, 1, "addOne"); err != nil {
		return nil, err
	}
	var seen [][]string
	err := ctx.CallChildWorkflow("heir",
		workflow.WithHistoryPropagation(workflow.PropagateLineage()),
	).Await(&seen)
	return seen, err
}

// heir gives what it sees of those above it, and what an activity sees that is given nothing, the heir's
// own history, and that of all.
func heir(ctx *workflow.WorkflowContext) (any, error) {
	seen := [][]string{seenIn(ctx.GetPropagatedHistory())}
	if _, err := callInOrder(ctx, 5, "addOne"); err != nil {
		return nil, err
	}
	for _, options := range [][]workflow.CallActivityOption{
		{},
		{workflow.WithHistoryPropagation(workflow.PropagateOwnHistory())},
		{workflow.WithHistoryPropagation(workflow.PropagateLineage())},
	} {
		var witnessed []string
		if err := ctx.CallActivity("witness", options...).Await(&witnessed); err != nil {
			return nil, err
		}
		seen = append(seen, witnessed)
	}
	return seen, nil
}

// seenIn tells of each workflow of a history what its first activity came to.
func seenIn(history *workflow.PropagatedHistory) []string {
	seen := []string{}
	if history == nil {
		return seen
	}
	for _, one := range history.GetWorkflows() {
		for _, added := range one.GetActivitiesByName("addOne") {
			seen = append(seen, fmt.Sprintf("%s %s", one.Name, added.Output.GetValue()))
		}
	}
	return seen
}
