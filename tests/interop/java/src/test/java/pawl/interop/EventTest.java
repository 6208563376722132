// SPDX-License-Identifier: Apache-2.0
package pawl.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class EventTest {
  @RegisterExtension static final InteropSystem system = new InteropSystem();

  @Test
  void anEventInTimeIsTaken() throws Exception {
    String id = system.client().scheduleNewWorkflow("approval", 60);
    system.client().raiseEvent(id, "decision", "approved");

    assertEquals("\"filed approved\"", system.awaitOutput(id));
    List<Call> calls = system.calls().of(id);
    assertEquals(List.of("approved"), calls.stream().map(call -> call.input().text()).toList());
  }

  @Test
  void anEventThatDoesNotComeTimesOut() throws Exception {
    String id = system.client().scheduleNewWorkflow("approval", 1);

    assertEquals("\"expired\"", system.awaitOutput(id));
    assertEquals(List.of(), system.activitiesOf(id));
  }

  @Test
  void aTimerFiresNoEarlierThanAsked() throws Exception {
    long startNs = System.nanoTime();
    String id = system.client().scheduleNewWorkflow("nap", 2);
    long sleptMs = Long.parseLong(system.awaitOutput(id));
    long waitedMs = Duration.ofNanos(System.nanoTime() - startNs).toMillis();

    assertTrue(sleptMs >= 2000, "slept " + sleptMs + " ms");
    assertTrue(waitedMs >= 2000, "waited " + waitedMs + " ms");
  }

  @Test
  void continueAsNewHandsItsInputToFiveExecutions() throws Exception {
    Workflows.Count input = new Workflows.Count(5, List.of());
    String id = system.client().scheduleNewWorkflow("countdown", input);

    assertEquals("[6,5,4,3,2]", system.awaitOutput(id));
    assertEquals(List.of(5, 4, 3, 2, 1), system.numbersOf(id, "addOne"));
  }

  @Test
  void continueAsNewKeepsEventsThatWereNotYetTaken() throws Exception {
    String id = system.client().scheduleNewWorkflow("collect", new String[0]);
    for (String item : List.of("first", "second", "third")) {
      system.client().raiseEvent(id, "item", item);
    }

    assertEquals("[\"first\",\"second\",\"third\"]", system.awaitOutput(id));
  }
}
