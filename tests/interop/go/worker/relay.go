// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/dapr/durabletask-go/workflow"
)

// relayInput is what every relay of the suite of mixed languages takes: see tests/interop/mixed.
type relayInput struct {
	Text  string   `json:"text"`
	Steps []string `json:"steps"`
}

// addRelay registers a workflow and an activity for that suite.
func addRelay(registry *workflow.Registry, stateDir string) error {
	return errors.Join(
		registry.AddWorkflowN("goRelay", relay),
		registry.AddActivityN("goMark", func(ctx workflow.ActivityContext) (any, error) {
			var text string
			if err := ctx.GetInput(&text); err != nil {
				return nil, err
			}
			marked := text + " goMark"
			return marked, appendLine(filepath.Join(stateDir, "marks.txt"), marked)
		}),
	)
}

// relay gives the text to each step in turn: an activity by its name, or another relay as a child.
func relay(ctx *workflow.WorkflowContext) (any, error) {
	input, err := inputOf[relayInput](ctx)
	if err != nil {
		return nil, err
	}
	text := input.Text
	for _, step := range input.Steps {
		if strings.HasSuffix(step, "Relay") {
			child := relayInput{Text: text, Steps: []string{}}
			err = ctx.CallChildWorkflow(step, workflow.WithChildWorkflowInput(child)).Await(&text)
		} else {
			err = ctx.CallActivity(step, workflow.WithActivityInput(text)).Await(&text)
		}
		if err != nil {
			return nil, err
		}
	}
	return text + " goRelay", nil
}

func appendLine(path, line string) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(line + "\n")
	return errors.Join(err, file.Close())
}
