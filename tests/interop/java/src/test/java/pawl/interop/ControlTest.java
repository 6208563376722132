// SPDX-License-Identifier: Apache-2.0
package pawl.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dapr.workflows.client.WorkflowRuntimeStatus;
import io.dapr.workflows.client.WorkflowState;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class ControlTest {
  @RegisterExtension static final InteropSystem system = new InteropSystem();

  @Test
  void terminateEndsAWaitingWorkflowWithTheGivenOutput() throws Exception {
    String id = system.client().scheduleNewWorkflow("approval", 60);
    system.client().terminateWorkflow(id, "stopped by the test");
    WorkflowState state = system.awaitEnd(id);

    assertEquals(WorkflowRuntimeStatus.TERMINATED, state.getRuntimeStatus());
    assertEquals("\"stopped by the test\"", state.getSerializedOutput());
    assertEquals(List.of(), system.activitiesOf(id));
  }

  /** The SDK asks for no recursion. */
  @Test
  void terminateLeavesChildWorkflowsAlone() throws Exception {
    String id = system.client().scheduleNewWorkflow("parentOfWaiting");
    String childId = id + "-child";
    system.client().waitForWorkflowStart(childId, Waiting.LIMIT, false);
    system.client().terminateWorkflow(id, null);
    assertEquals(WorkflowRuntimeStatus.TERMINATED, system.awaitEnd(id).getRuntimeStatus());
    assertEquals(WorkflowRuntimeStatus.RUNNING, system.statusOf(childId));

    system.client().raiseEvent(childId, "decision", "approved");
    assertEquals("\"filed approved\"", system.awaitOutput(childId));
  }

  @Test
  void anEventRaisedWhileSuspendedIsHeldUntilResume() throws Exception {
    String id = system.client().scheduleNewWorkflow("approval", 60);
    system.client().suspendWorkflow(id, "the test wants it");
    assertEquals(WorkflowRuntimeStatus.SUSPENDED, system.statusOf(id));

    system.client().raiseEvent(id, "decision", "approved");
    system.awaitInVain(id, Duration.ofSeconds(2));
    assertEquals(WorkflowRuntimeStatus.SUSPENDED, system.statusOf(id));
    assertEquals(List.of(), system.activitiesOf(id));

    system.client().resumeWorkflow(id, "the test wants it");
    assertEquals("\"filed approved\"", system.awaitOutput(id));
    assertEquals(List.of("fileDecision"), system.activitiesOf(id));
  }

  @Test
  void aResumedWorkflowGoesOnWaiting() throws Exception {
    String id = system.client().scheduleNewWorkflow("approval", 60);
    system.client().suspendWorkflow(id, "");
    system.client().resumeWorkflow(id, "");
    assertEquals(WorkflowRuntimeStatus.RUNNING, system.statusOf(id));

    system.client().raiseEvent(id, "decision", "late");
    assertEquals("\"filed late\"", system.awaitOutput(id));
  }

  @Test
  void purgeMakesAFinishedInstanceUnknown() throws Exception {
    String id = system.client().scheduleNewWorkflow("chain", 3);
    system.awaitOutput(id);

    assertTrue(system.client().purgeWorkflow(id));
    // The SDK gives an empty state for an unknown instance.
    assertEquals("", system.client().getWorkflowState(id, true).getWorkflowId());
  }

  @Test
  void purgeOfARunningInstanceIsRefused() {
    String id = system.client().scheduleNewWorkflow("approval", 60);

    assertThrows(StatusRuntimeException.class, () -> system.client().purgeWorkflow(id));
    assertEquals(WorkflowRuntimeStatus.RUNNING, system.statusOf(id));
  }

  @Test
  void aStartUnderTheIdOfAnActiveInstanceIsRefused() throws Exception {
    String id = system.client().scheduleNewWorkflow("approval", 60);
    StatusRuntimeException refusal = assertThrows(
        StatusRuntimeException.class,
        () -> system.client().scheduleNewWorkflow("chain", 3, id));
    assertEquals(Status.Code.ALREADY_EXISTS, refusal.getStatus().getCode());
    assertTrue(refusal.getMessage().contains("already exists"), refusal::getMessage);

    system.client().raiseEvent(id, "decision", "approved");
    assertEquals("\"filed approved\"", system.awaitOutput(id));
    assertEquals(List.of("fileDecision"), system.activitiesOf(id));
  }

  @Test
  void aStartUnderTheIdOfAFinishedInstanceBeginsANewOne() throws Exception {
    String id = system.client().scheduleNewWorkflow("chain", 3);
    assertEquals("[4,8,64]", system.awaitOutput(id));
    system.client().scheduleNewWorkflow("chain", 1, id);

    assertEquals("[2,4,16]", system.awaitOutput(id));
    assertEquals(List.of(3, 1), system.numbersOf(id, "addOne"));
  }
}
