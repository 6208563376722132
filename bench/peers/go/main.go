// SPDX-License-Identifier: Apache-2.0

// Two programs for the benchmark: `bench-go sidecar FILE` serves the sidecar service of Durable Task
// from a SQLite file and prints its address; `bench-go worker ADDRESS` runs the chain.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/dapr/durabletask-go/backend"
	"github.com/dapr/durabletask-go/backend/sqlite"
	"github.com/dapr/durabletask-go/client"
	"github.com/dapr/durabletask-go/task"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: bench-go sidecar FILE | worker ADDRESS")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	run := serve
	if os.Args[1] == "worker" {
		run = work
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
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	worker := client.NewTaskHubGrpcClient(connection, silent{})
	if err := worker.StartWorkItemListener(ctx, registry); err != nil {
		return err
	}
	fmt.Println("worker ready")
	<-ctx.Done()
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
