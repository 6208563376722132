// SPDX-License-Identifier: Apache-2.0

package interop

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	startLimit = 60 * time.Second
	stopLimit  = 15 * time.Second
)

// process is a program that says with one line on stdout that it is ready for work.
type process struct {
	program   string
	arguments []string
	readyText string

	command *exec.Cmd
	ended   chan struct{} // closed when command has ended and its output is read

	mutex  sync.Mutex
	output strings.Builder // of all its starts
}

// start returns once the ready line was printed.
func (p *process) start() error {
	reader, writer := io.Pipe()
	command := exec.Command(p.program, p.arguments...)
	command.Stdout, command.Stderr = writer, writer
	command.WaitDelay = stopLimit
	if err := command.Start(); err != nil {
		return err
	}
	ready := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		_ = command.Wait() // How it ended does not matter: every end but ours is seen in the output.
		_ = writer.Close()
	}()
	go func() {
		defer close(ended)
		p.collect(reader, ready)
	}()
	p.command, p.ended = command, ended
	select {
	case <-ready:
		return nil
	case <-ended:
	case <-time.After(startLimit):
		p.kill()
	}
	return fmt.Errorf("not ready: %s %q\n%s", p.program, p.arguments, p.printed())
}

// collect keeps what the process prints, and closes ready at the first ready line.
func (p *process) collect(reader io.Reader, ready chan<- struct{}) {
	isReady := false
	lines := bufio.NewReader(reader)
	for {
		line, err := lines.ReadString('\n')
		p.mutex.Lock()
		p.output.WriteString(line)
		p.mutex.Unlock()
		if !isReady && strings.Contains(line, p.readyText) {
			isReady = true
			close(ready)
		}
		if err != nil {
			return
		}
	}
}

// stop ends the process by SIGTERM; by SIGKILL when it does not obey.
func (p *process) stop() {
	if p.command == nil {
		return
	}
	// A process that has ended already cannot be signalled, which is as well.
	_ = p.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(stopLimit):
		p.kill()
	}
}

// kill ends the process by SIGKILL: it has no chance to finish anything.
func (p *process) kill() {
	_ = p.command.Process.Kill()
	<-p.ended
}

// printed gives all that the process printed so far, over all its starts.
func (p *process) printed() string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.output.String()
}

// newServer gives a Pawl server on ports and a data folder that stay the same over restarts.
func newServer(port, grpcPort int, dataDir string) *process {
	repository, err := filepath.Abs("../../..")
	if err != nil {
		panic(err)
	}
	main := os.Getenv("PAWL_SERVER")
	if main == "" {
		main = filepath.Join(repository, "packages/server/dist/main.js")
	}
	node := filepath.Join(repository, "node_modules/.bin/node")
	if _, err := os.Stat(node); err != nil {
		node = "node"
	}
	return &process{
		program: node,
		arguments: []string{
			main, "serve", "--port", strconv.Itoa(port), "--grpc-port", strconv.Itoa(grpcPort),
			"--data", dataDir,
		},
		readyText: "pawl ready on ",
	}
}

// newWorker gives the suite's worker, told nothing but the port.
func newWorker(port int, stateDir string) *process {
	return &process{
		program:   workerProgram,
		arguments: []string{"-port", strconv.Itoa(port), "-state-dir", stateDir},
		readyText: "worker ready",
	}
}

// findFreePorts gives two different loopback ports that nobody listens on.
func findFreePorts() (first, second int, err error) {
	var ports []int
	for range 2 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return 0, 0, err
		}
		defer listener.Close()
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports[0], ports[1], nil
}
