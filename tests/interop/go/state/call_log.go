// SPDX-License-Identifier: Apache-2.0

package state

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Call is one start of an activity, as the worker process saw it.
type Call struct {
	Activity   string `json:"activity"`
	InstanceID string `json:"instanceId"`
	Number     int    `json:"number"`
	Text       string `json:"text"`
	PID        int    `json:"pid"`
	AtMs       int64  `json:"atMs"`
}

// CallLog is the record of every activity call: a file that several worker processes may append to.
type CallLog struct {
	path string
}

// NewCallLog gives the record of a folder.
func NewCallLog(folder string) CallLog {
	return CallLog{filepath.Join(folder, "calls.jsonl")}
}

// Append adds a call, with the process and the time of now.
func (l CallLog) Append(call Call) error {
	call.PID = os.Getpid()
	call.AtMs = time.Now().UnixMilli()
	line, err := json.Marshal(call)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(l.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	// One write in append mode: a process that is killed right after it leaves a whole line.
	_, err = file.Write(append(line, '\n'))
	return errors.Join(err, file.Close())
}

// Of gives the calls made for one instance, oldest first; of one activity unless its name is "".
func (l CallLog) Of(instanceID, activity string) ([]Call, error) {
	text, err := os.ReadFile(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var calls []Call
	// Without what follows the last line's end: a write may be under way.
	lines := strings.Split(string(text), "\n")
	for _, line := range lines[:len(lines)-1] {
		var call Call
		if err := json.Unmarshal([]byte(line), &call); err != nil {
			return nil, err
		}
		if call.InstanceID == instanceID && (activity == "" || call.Activity == activity) {
			calls = append(calls, call)
		}
	}
	return calls, nil
}
