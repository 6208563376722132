// SPDX-License-Identifier: Apache-2.0

// Three programs for the benchmark: `bench-go sidecar FILE` serves the sidecar service of Durable Task
// from a SQLite file and prints its address; `bench-go worker ADDRESS` runs the chain; `bench-go client
// ADDRESS` starts a chain for each line that it reads, and gives the line back when the chain has ended.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/dapr/durabletask-go/api"
	"github.com/dapr/durabletask-go/backend"
	"github.com/dapr/durabletask-go/backend/sqlite"
	"github.com/dapr/durabletask-go/client"
	"github.com/dapr/durabletask-go/task"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: bench-go sidecar FILE | worker ADDRESS | client ADDRESS")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	programs := map[string]func(context.Context, string) error{"sidecar": serve, "worker": work, "client": drive}
	run, known := programs[os.Args[1]]
	if !known {
		log.Fatalf("there is no program %q", os.Args[1])
	}
	if err := run(ctx, os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

// silent drops the library's log lines: there are several for every item.
type silent struct{}

func (silent) Debug(...any)          {}
func (silent) Debugf(string, ...any) {}
func (silent) Info(...any)           {}
func (silent) Infof(string, ...any)  {}
func (silent) Warn(...any)           {}
func (silent) Warnf(string, ...any)  {}
func (silent) Error(v ...any)        { log.Print(v...) }
func (silent) Errorf(format string, v ...any) {
	log.Printf(format, v...)
}

func serve(ctx context.Context, file string) error {
	logger := silent{}
	server := grpc.NewServer()
	store := sqlite.NewSqliteBackend(sqlite.NewSqliteOptions(file), logger)
	executor, register := backend.NewGrpcExecutor(store, logger)
	register(server)
	workflows := backend.NewWorkflowWorker(backend.WorkflowWorkerOptions{
		Backend: store, Executor: executor, Logger: logger, AppID: "bench",
	})
	activities := backend.NewActivityTaskWorker(store, executor, logger)
	hub := backend.NewTaskHubWorker(store, workflows, activities, logger)
	if err := hub.Start(ctx); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		<-ctx.Done()
		server.Stop()
	}()
	fmt.Printf("sidecar ready %s\n", listener.Addr())
	return server.Serve(listener)
}

func work(ctx context.Context, address string) error {
	registry := task.NewTaskRegistry()
	if err := registry.AddWorkflowN("chain", chain); err != nil {
		return err
	}
	if err := registry.AddActivityN("increment", increment); err != nil {
		return err
	}
	worker, err := connect(address)
	if err != nil {
		return err
	}
	if err := worker.StartWorkItemListener(ctx, registry); err != nil {
		return err
	}
	fmt.Println("worker ready")
	<-ctx.Done()
	return nil
}

func connect(address string) (*client.TaskHubGrpcClient, error) {
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	return client.NewTaskHubGrpcClient(connection, silent{}), nil
}

func drive(ctx context.Context, address string) error {
	caller, err := connect(address)
	if err != nil {
		return err
	}
	fmt.Println("client ready")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		go func(line string) {
			if err := runChain(ctx, caller); err != nil && ctx.Err() == nil {
				log.Fatal(err)
			}
			fmt.Println(line)
		}(lines.Text())
	}
	return lines.Err()
}

func runChain(ctx context.Context, caller *client.TaskHubGrpcClient) error {
	// Not 0: the JavaScript SDK loses inputs that are falsy.
	id, err := caller.ScheduleNewWorkflow(ctx, "chain", api.WithInput(1))
	if err != nil {
		return err
	}
	ended, err := caller.WaitForWorkflowCompletion(ctx, id, api.WithFetchPayloads(true))
	if err != nil {
		return err
	}
	if output := ended.GetOutput().GetValue(); output != "4" {
		return fmt.Errorf("a workflow ended with %q", output)
	}
	return nil
}

func chain(ctx *task.WorkflowContext) (any, error) {
	var value int
	if err := ctx.GetInput(&value); err != nil {
		return nil, err
	}
	for step := 0; step < 3; step++ {
		if err := ctx.CallActivity("increment", task.WithActivityInput(value)).Await(&value); err != nil {
			return nil, err
		}
	}
	return value, nil
}

func increment(ctx task.ActivityContext) (any, error) {
	var value int
	if err := ctx.GetInput(&value); err != nil {
		return nil, err
	}
	return value + 1, nil
}
