// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"time"

	"github.com/dapr/durabletask-go/task"
	"github.com/dapr/durabletask-go/workflow"
)

// addWorkflows registers every workflow by its name.
func addWorkflows(registry *workflow.Registry) error {
	workflows := map[string]workflow.Workflow{
		"chain":           chain,
		"fanOut":          fanOut,
		"approval":        approval,
		"nap":             nap,
		"parent":          parent,
		"parentOfBroken":  parentOfBroken,
		"parentOfWaiting": parentOfWaiting,
		"retried":         retried,
		"countdown":       countdown,
		"collect":         collect,
		"broken":          broken,
		"uncaught":        uncaught,
		"gated":           gated,
	}
	var faults []error
	for name, function := range workflows {
		faults = append(faults, registry.AddWorkflowN(name, function))
	}
	return errors.Join(faults...)
}

func withNumber(ctx *workflow.WorkflowContext, number int) workflow.CallActivityOption {
	return workflow.WithActivityInput(step{InstanceID: ctx.ID(), Number: number})
}

func withText(ctx *workflow.WorkflowContext, text string) workflow.CallActivityOption {
	return workflow.WithActivityInput(step{InstanceID: ctx.ID(), Text: text})
}

// inputOf gives the workflow's input as the type asked for.
func inputOf[T any](ctx *workflow.WorkflowContext) (T, error) {
	var input T
	err := ctx.GetInput(&input)
	return input, err
}

// callInOrder calls each activity with the result of the one before, and gives all results.
func callInOrder(ctx *workflow.WorkflowContext, number int, names ...string) ([]int, error) {
	var results []int
	for _, name := range names {
		if err := ctx.CallActivity(name, withNumber(ctx, number)).Await(&number); err != nil {
			return nil, err
		}
		results = append(results, number)
	}
	return results, nil
}

func chain(ctx *workflow.WorkflowContext) (any, error) {
	number, err := inputOf[int](ctx)
	if err != nil {
		return nil, err
	}
	ctx.SetCustomStatus("calling three")
	return callInOrder(ctx, number, "addOne", "double", "square")
}

func fanOut(ctx *workflow.WorkflowContext) (any, error) {
	count, err := inputOf[int](ctx)
	if err != nil {
		return nil, err
	}
	var tasks []workflow.Task
	for number := 1; number <= count; number++ {
		tasks = append(tasks, ctx.CallActivity("square", withNumber(ctx, number)))
	}
	sum := 0
	for _, square := range tasks {
		var result int
		if err := square.Await(&result); err != nil {
			return nil, err
		}
		sum += result
	}
	return sum, nil
}

func approval(ctx *workflow.WorkflowContext) (any, error) {
	timeoutSeconds, err := inputOf[int](ctx)
	if err != nil {
		return nil, err
	}
	var decision, filed string
	timeout := time.Duration(timeoutSeconds) * time.Second
	err = ctx.WaitForExternalEvent("decision", timeout).Await(&decision)
	if errors.Is(err, task.ErrTaskCanceled) {
		return "expired", nil
	}
	if err != nil {
		return nil, err
	}
	err = ctx.CallActivity("fileDecision", withText(ctx, decision)).Await(&filed)
	return filed, err
}

// nap gives the milliseconds that it slept, by the clock of the history.
func nap(ctx *workflow.WorkflowContext) (any, error) {
	seconds, err := inputOf[int](ctx)
	if err != nil {
		return nil, err
	}
	start := ctx.CurrentTimeUTC()
	if err := ctx.CreateTimer(time.Duration(seconds) * time.Second).Await(nil); err != nil {
		return nil, err
	}
	return ctx.CurrentTimeUTC().Sub(start).Milliseconds(), nil
}

// parent runs a chain as a child for each number, the first under an ID of its own choice.
func parent(ctx *workflow.WorkflowContext) (any, error) {
	numbers, err := inputOf[[]int](ctx)
	if err != nil {
		return nil, err
	}
	var children []workflow.Task
	for index, number := range numbers {
		options := []workflow.ChildWorkflowOption{workflow.WithChildWorkflowInput(number)}
		if index == 0 {
			options = append(options, workflow.WithChildWorkflowInstanceID(ctx.ID()+"-child"))
		}
		children = append(children, ctx.CallChildWorkflow("chain", options...))
	}
	var results [][]int
	for _, child := range children {
		var result []int
		if err := child.Await(&result); err != nil {
			return nil, err
		}
		results = append(results, result)
	}
	return results, nil
}

func parentOfBroken(ctx *workflow.WorkflowContext) (any, error) {
	input := workflow.WithChildWorkflowInput("child has no luck")
	if err := ctx.CallChildWorkflow("broken", input).Await(nil); err != nil {
		return "caught: " + err.Error(), nil
	}
	return "caught nothing", nil
}

func parentOfWaiting(ctx *workflow.WorkflowContext) (any, error) {
	return nil, ctx.CallChildWorkflow("approval",
		workflow.WithChildWorkflowInput(60),
		workflow.WithChildWorkflowInstanceID(ctx.ID()+"-child"),
	).Await(nil)
}

func retried(ctx *workflow.WorkflowContext) (any, error) {
	text, err := inputOf[string](ctx)
	if err != nil {
		return nil, err
	}
	policy := workflow.WithActivityRetryPolicy(&workflow.RetryPolicy{
		MaxAttempts:          3,
		InitialRetryInterval: 500 * time.Millisecond,
		BackoffCoefficient:   2,
	})
	var result string
	err = ctx.CallActivity("failTwice", withText(ctx, text), policy).Await(&result)
	return result, err
}

type count struct {
	Left int
	Seen []int
}

func countdown(ctx *workflow.WorkflowContext) (any, error) {
	now, err := inputOf[count](ctx)
	if err != nil {
		return nil, err
	}
	results, err := callInOrder(ctx, now.Left, "addOne")
	if err != nil {
		return nil, err
	}
	seen := append(now.Seen, results...)
	if now.Left == 1 {
		return seen, nil
	}
	ctx.ContinueAsNew(count{Left: now.Left - 1, Seen: seen})
	return nil, nil
}

func collect(ctx *workflow.WorkflowContext) (any, error) {
	items, err := inputOf[[]string](ctx)
	if err != nil {
		return nil, err
	}
	var item string
	if err := ctx.WaitForExternalEvent("item", -1).Await(&item); err != nil {
		return nil, err
	}
	items = append(items, item)
	if len(items) == 3 {
		return items, nil
	}
	ctx.ContinueAsNew(items, workflow.WithKeepUnprocessedEvents())
	return nil, nil
}

func broken(ctx *workflow.WorkflowContext) (any, error) {
	text, err := inputOf[string](ctx)
	if err != nil {
		return nil, err
	}
	if _, err := callInOrder(ctx, 1, "addOne"); err != nil {
		return nil, err
	}
	return nil, errors.New(text)
}

func uncaught(ctx *workflow.WorkflowContext) (any, error) {
	text, err := inputOf[string](ctx)
	if err != nil {
		return nil, err
	}
	return nil, ctx.CallActivity("failAlways", withText(ctx, text)).Await(nil)
}

func gated(ctx *workflow.WorkflowContext) (any, error) {
	number, err := inputOf[int](ctx)
	if err != nil {
		return nil, err
	}
	return callInOrder(ctx, number, "addOne", "passGate", "double")
}
