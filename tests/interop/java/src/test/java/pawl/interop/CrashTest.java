// SPDX-License-Identifier: Apache-2.0
package pawl.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dapr.workflows.client.WorkflowRuntimeStatus;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class CrashTest {
  @RegisterExtension final InteropSystem system = new InteropSystem();

  /** Only the held activity may have run twice. */
  private void assertOneRound(String id) {
    assertEquals(List.of(1), system.numbersOf(id, "addOne"));
    assertEquals(List.of(20), system.numbersOf(id, "double"));
  }

  @Test
  void aWorkflowFinishesAfterItsWorkerWasKilledInAnActivity() throws Exception {
    String id = system.client().scheduleNewWorkflow("gated", 1);
    system.calls().await(id, "passGate");
    system.worker().kill();
    assertEquals(WorkflowRuntimeStatus.RUNNING, system.statusOf(id));

    system.gate().open();
    system.worker().start();
    assertEquals("[2,20,40]", system.awaitOutput(id));
    assertOneRound(id);
    List<Call> calls = system.calls().of(id, "passGate");
    assertEquals(2, calls.size());
    assertNotEquals(calls.get(0).pid(), calls.get(1).pid());
  }

  @Test
  void aWorkflowFinishesAfterTheServerWasKilledInAnActivity() throws Exception {
    String id = system.client().scheduleNewWorkflow("gated", 1);
    system.calls().await(id, "passGate");
    system.server().kill();
    system.gate().open();
    system.server().start();
    system.awaitAnswer(id);

    assertEquals("[2,20,40]", system.awaitOutput(id));
    assertOneRound(id);
    // The result of the activity may be lost with the server; then it is called once more.
    int count = system.calls().of(id, "passGate").size();
    assertTrue(count == 1 || count == 2, "passGate was called " + count + " times");
    for (Call call : system.calls().of(id)) {
      assertEquals(system.worker().pid(), call.pid(), "the worker was never replaced");
    }
  }

  @Test
  void aWorkerReconnectsAfterTheServerWasStoppedAndStarted() throws Exception {
    String finishedId = system.client().scheduleNewWorkflow("chain", 3);
    system.awaitOutput(finishedId);
    system.server().stop();
    system.server().start();
    system.awaitAnswer(finishedId);

    String id = system.client().scheduleNewWorkflow("chain", 3);
    assertEquals("[4,8,64]", system.awaitOutput(id));
  }

  @Test
  void timersAndFinishedResultsOutliveAKilledServer() throws Exception {
    String finishedId = system.client().scheduleNewWorkflow("chain", 3);
    system.awaitOutput(finishedId);
    String id = system.client().scheduleNewWorkflow("nap", 3);
    system.awaitInVain(id, Duration.ofSeconds(1));
    system.server().kill();
    system.server().start();
    system.awaitAnswer(id);

    long sleptMs = Long.parseLong(system.awaitOutput(id));
    assertTrue(sleptMs >= 3000, "slept " + sleptMs + " ms");
    assertEquals("[4,8,64]", system.awaitOutput(finishedId));
    assertEquals(3, system.calls().of(finishedId).size());
  }

  @Test
  void anEventRaisedBeforeTheServerWasKilledIsNotLost() throws Exception {
    String id = system.client().scheduleNewWorkflow("approval", 60);
    system.client().suspendWorkflow(id, "");
    system.client().raiseEvent(id, "decision", "approved");
    system.server().kill();
    system.server().start();
    system.awaitAnswer(id);
    assertEquals(WorkflowRuntimeStatus.SUSPENDED, system.statusOf(id));

    system.resume(id);
    assertEquals("\"filed approved\"", system.awaitOutput(id));
    assertEquals(List.of("fileDecision"), system.activitiesOf(id));
  }
}
