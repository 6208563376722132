// SPDX-License-Identifier: Apache-2.0

// The worker of the suite: `worker -port N -state-dir DIR` prints `worker ready` and works until
// SIGTERM. Every activity records its call in DIR before it does anything else, so that calls are
// counted across processes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/dapr/durabletask-go/workflow"
	"github.com/dapr/go-sdk/client"

	"pawl/tests/interop/go/state"
)

func main() {
	port := flag.Int("port", 0, "the server's port")
	stateDir := flag.String("state-dir", "", "the folder of the call log and the gate")
	isPatched := flag.Bool("patched", false, "run the workflow \"amended\" with its patches")
	flag.Parse()
	if *port == 0 || *stateDir == "" {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*port, *stateDir, *isPatched); err != nil {
		log.Fatal(err)
	}
}

// run works until the process is told to end. The SDK is told nothing but the port.
func run(port int, stateDir string, isPatched bool) error {
	registry := workflow.NewRegistry()
	activities := activities{calls: state.NewCallLog(stateDir), gate: state.NewGate(stateDir)}
	if err := errors.Join(
		addWorkflows(registry), addLineage(registry), activities.addTo(registry),
		addRelay(registry, stateDir),
		registry.AddWorkflowN("amended", amended(isPatched)),
	); err != nil {
		return err
	}
	if err := os.Setenv("DAPR_GRPC_PORT", strconv.Itoa(port)); err != nil {
		return err
	}
	workflows, err := client.NewWorkflowClient()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := workflows.StartWorker(ctx, registry); err != nil {
		return err
	}
	fmt.Println("worker ready")
	<-ctx.Done()
	return nil
}
