// SPDX-License-Identifier: Apache-2.0

// Package interop runs Dapr's Go SDK, unchanged, against a Pawl server.
package interop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/dapr/durabletask-go/workflow"
	dapr "github.com/dapr/go-sdk/client"

	"pawl/tests/interop/go/state"
)

// workerProgram is the path of the worker, built before any test.
var workerProgram string

// shared is the system of all tests that kill nothing.
var shared *system

// failureLimit is how many tests may fail; the rest then fails at once, rather than wait for what
// does not come.
const failureLimit = 5

var failures int

func TestMain(m *testing.M) {
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runTests(m *testing.M) (code int, err error) {
	folder, err := os.MkdirTemp("", "pawl-interop-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(folder)
	workerProgram = filepath.Join(folder, "worker.exe") // The ending is for Windows only.
	build := exec.Command("go", "build", "-o", workerProgram, "./worker")
	if output, err := build.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("%w\n%s", err, output)
	}
	shared, err = startSystem(folder)
	if err != nil {
		return 1, err
	}
	defer shared.stop()
	return m.Run(), nil
}

// system is a server, a worker and a client, each with the SDK's own settings but for the port.
type system struct {
	server   *process
	worker   *process
	grpcPort int
	client   *workflow.Client
	calls    state.CallLog
	gate     state.Gate
	close    func()
}

// startSystem starts a server and a worker with folders of their own inside the folder.
func startSystem(folder string) (*system, error) {
	stateDir := filepath.Join(folder, "state")
	if err := os.Mkdir(stateDir, 0o700); err != nil {
		return nil, err
	}
	port, grpcPort, err := findFreePorts()
	if err != nil {
		return nil, err
	}
	s := &system{
		server:   newServer(port, grpcPort, filepath.Join(folder, "data")),
		worker:   newWorker(port, stateDir),
		grpcPort: grpcPort,
		calls:    state.NewCallLog(stateDir),
		gate:     state.NewGate(stateDir),
	}
	err = s.server.start()
	if err == nil {
		err = s.worker.start()
	}
	if err == nil {
		s.client, s.close, err = newClient(port)
	}
	if err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func (s *system) stop() {
	_ = s.gate.Open() // For activities that a failed test still holds.
	if s.close != nil {
		s.close()
	}
	s.worker.stop()
	s.server.stop()
}

// newClient gives the SDK's client for a port, and the function that closes it. The SDK's own
// NewWorkflowClient is this for one port a process; the worker uses it.
func newClient(port int) (*workflow.Client, func(), error) {
	client, err := dapr.NewClientWithPort(strconv.Itoa(port))
	if err != nil {
		return nil, nil, err
	}
	return workflow.NewClient(client.GrpcClientConn()), client.Close, nil
}

// useShared gives the system of all tests that kill nothing.
func useShared(t *testing.T) *system {
	t.Helper()
	shared.watch(t)
	return shared
}

// useOwn gives a system that the test may kill parts of.
func useOwn(t *testing.T) *system {
	t.Helper()
	s, err := startSystem(t.TempDir())
	requireNone(t, err)
	t.Cleanup(s.stop)
	s.watch(t)
	return s
}

// watch shows with a test that fails what server and worker printed.
func (s *system) watch(t *testing.T) {
	t.Helper()
	if failures >= failureLimit {
		t.Fatalf("%d tests have failed already", failures)
	}
	t.Cleanup(func() {
		if t.Failed() {
			failures++
			t.Logf("--- server\n%s\n--- worker\n%s", s.server.printed(), s.worker.printed())
		}
	})
}

// limited gives a context for one call or wait of a test.
func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), state.WaitLimit)
	t.Cleanup(cancel)
	return ctx
}

// schedule starts a workflow under an ID that the SDK chooses.
func (s *system) schedule(t *testing.T, name string, input any) string {
	t.Helper()
	id, err := s.client.ScheduleWorkflow(limited(t), name, workflow.WithInput(input))
	requireNone(t, err)
	return id
}

// waitForEnd gives the state of the instance once it has finished in whatever way.
func (s *system) waitForEnd(t *testing.T, id string) *workflow.WorkflowMetadata {
	t.Helper()
	metadata, err := s.client.WaitForWorkflowCompletion(limited(t), id)
	requireNone(t, err)
	return metadata
}

// waitInVain fails the test when the instance finishes within the time.
func (s *system) waitInVain(t *testing.T, id string, limit time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	_, err := s.client.WaitForWorkflowCompletion(ctx, id)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("waited for the end of %s: %v; wanted the deadline to pass", id, err)
	}
}

// waitForOutput gives the output of the instance; fails the test when it has not completed.
func waitForOutput[T any](t *testing.T, s *system, id string) T {
	t.Helper()
	metadata := s.waitForEnd(t, id)
	if metadata.RuntimeStatus != workflow.StatusCompleted {
		t.Fatalf("%s is %s: %s", id, metadata, metadata.FailureDetails.GetErrorMessage())
	}
	var output T
	requireNone(t, json.Unmarshal([]byte(metadata.Output.GetValue()), &output))
	return output
}

// statusOf gives the status of an instance that must exist.
func (s *system) statusOf(t *testing.T, id string) string {
	t.Helper()
	metadata, err := s.client.FetchWorkflowMetadata(limited(t), id)
	requireNone(t, err)
	return metadata.String()
}

// callsOf gives the calls made for the instance; of one activity unless its name is "".
func (s *system) callsOf(t *testing.T, id, activity string) []state.Call {
	t.Helper()
	calls, err := s.calls.Of(id, activity)
	requireNone(t, err)
	return calls
}

// waitForCall returns once the activity was called for the instance.
func (s *system) waitForCall(t *testing.T, id, activity string) {
	t.Helper()
	isCalled := func() bool { return len(s.callsOf(t, id, activity)) > 0 }
	requireNone(t, state.WaitUntil(isCalled, "a call of "+activity, state.WaitLimit))
}

// waitForAnswer returns once the client's connection has come back; only the SDK's waits retry by
// themselves.
func (s *system) waitForAnswer(t *testing.T, id string) {
	t.Helper()
	isAnswering := func() bool {
		_, err := s.client.FetchWorkflowMetadata(limited(t), id)
		return err == nil
	}
	requireNone(t, state.WaitUntil(isAnswering, "the server to answer", state.WaitLimit))
}

// resume resumes an instance while the worker may be away: a strict server, like Dapr's, then refuses it.
func (s *system) resume(t *testing.T, id string) {
	t.Helper()
	resume := func() error { return s.client.ResumeWorkflow(limited(t), id, "") }
	if os.Getenv("PAWL_STRICT_DAPR") == "" {
		requireNone(t, resume())
		return
	}
	isResumed := func() bool { return resume() == nil }
	requireNone(t, state.WaitUntil(isResumed, "the worker to come back", state.WaitLimit))
}

func numbersOf(calls []state.Call) []int {
	var numbers []int
	for _, call := range calls {
		numbers = append(numbers, call.Number)
	}
	return numbers
}

func namesOf(calls []state.Call) []string {
	var names []string
	for _, call := range calls {
		names = append(names, call.Activity)
	}
	return names
}

func requireNone(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func expectEqual[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s is %v; want %v", what, got, want)
	}
}
