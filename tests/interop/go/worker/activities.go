// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"

	"github.com/dapr/durabletask-go/workflow"

	"pawl/tests/interop/go/state"
)

// step is the input of every activity. The SDK does not tell an activity its instance.
type step struct {
	InstanceID string
	Number     int
	Text       string
}

type activities struct {
	calls state.CallLog
	gate  state.Gate
}

// addTo registers every activity by its name.
func (a activities) addTo(registry *workflow.Registry) error {
	return errors.Join(
		a.add(registry, "addOne", func(input step) (any, error) { return input.Number + 1, nil }),
		a.add(registry, "double", func(input step) (any, error) { return input.Number * 2, nil }),
		a.add(registry, "square", func(input step) (any, error) {
			return input.Number * input.Number, nil
		}),
		a.add(registry, "fileDecision", func(input step) (any, error) {
			return "filed " + input.Text, nil
		}),
		a.add(registry, "failTwice", a.failTwice),
		a.add(registry, "failAlways", func(input step) (any, error) {
			return nil, errors.New(input.Text)
		}),
		a.add(registry, "passGate", func(input step) (any, error) {
			return input.Number * 10, a.gate.Wait()
		}),
	)
}

// add registers an activity that records each call before it runs.
func (a activities) add(
	registry *workflow.Registry, name string, run func(input step) (any, error),
) error {
	return registry.AddActivityN(name, func(ctx workflow.ActivityContext) (any, error) {
		var input step
		if err := ctx.GetInput(&input); err != nil {
			return nil, err
		}
		err := a.calls.Append(state.Call{
			Activity: name, InstanceID: input.InstanceID, Number: input.Number, Text: input.Text,
		})
		if err != nil {
			return nil, err
		}
		return run(input)
	})
}

func (a activities) failTwice(input step) (any, error) {
	calls, err := a.calls.Of(input.InstanceID, "failTwice")
	if err != nil {
		return nil, err
	}
	if len(calls) <= 2 {
		return nil, fmt.Errorf("attempt %d fails", len(calls))
	}
	return fmt.Sprintf("%s at attempt %d", input.Text, len(calls)), nil
}
