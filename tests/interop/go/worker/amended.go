// SPDX-License-Identifier: Apache-2.0

package main

import (
	"time"

	"github.com/dapr/durabletask-go/workflow"
)

// amended gives a workflow as it was first written, or as it was patched since: before its wait it
// calls one activity more, and after it another one.
func amended(hasPatches bool) workflow.Workflow {
	return func(ctx *workflow.WorkflowContext) (any, error) {
		number, err := inputOf[int](ctx)
		if err != nil {
			return nil, err
		}
		results, err := callInOrder(ctx, number, "addOne")
		if err != nil {
			return nil, err
		}
		number = results[0]
		if hasPatches && ctx.IsPatched("double early") {
			doubled, err := callInOrder(ctx, number, "double")
			if err != nil {
				return nil, err
			}
			number = doubled[0]
			results = append(results, number)
		}
		ctx.SetCustomStatus("waiting")
		if err := ctx.WaitForExternalEvent("go", time.Minute).Await(nil); err != nil {
			return nil, err
		}
		last := "addOne"
		if hasPatches && ctx.IsPatched("square at last") {
			last = "square"
		}
		ended, err := callInOrder(ctx, number, last)
		return append(results, ended...), err
	}
}
