// SPDX-License-Identifier: Apache-2.0
package pawl.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dapr.workflows.client.WorkflowFailureDetails;
import io.dapr.workflows.client.WorkflowRuntimeStatus;
import io.dapr.workflows.client.WorkflowState;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class FailureTest {
  @RegisterExtension static final InteropSystem system = new InteropSystem();

  @Test
  void aFailedWorkflowShowsTypeMessageAndStackOfItsException() throws Exception {
    String id = system.client().scheduleNewWorkflow("broken", "no luck today");
    WorkflowState state = system.awaitEnd(id);

    assertEquals(WorkflowRuntimeStatus.FAILED, state.getRuntimeStatus());
    WorkflowFailureDetails details = state.getFailureDetails();
    assertEquals(Workflows.NoLuckException.class.getName(), details.getErrorType());
    assertEquals("no luck today", details.getErrorMessage());
    assertTrue(details.getStackTrace().contains("Workflows.java"), details::getStackTrace);
  }

  @Test
  void theFailureOfAnActivityThatNobodyCaughtIsShown() throws Exception {
    String id = system.client().scheduleNewWorkflow("uncaught", "disk on fire");
    WorkflowState state = system.awaitEnd(id);

    assertEquals(WorkflowRuntimeStatus.FAILED, state.getRuntimeStatus());
    String message = state.getFailureDetails().getErrorMessage();
    assertTrue(message.contains("disk on fire"), message);
    assertEquals(List.of("failAlways"), system.activitiesOf(id));
  }

  @Test
  void aWorkflowThatNoWorkerKnowsFails() throws Exception {
    String id = system.client().scheduleNewWorkflow("nobodyWroteThis");
    WorkflowState state = system.awaitEnd(id);

    assertEquals(WorkflowRuntimeStatus.FAILED, state.getRuntimeStatus());
    String message = state.getFailureDetails().getErrorMessage();
    assertTrue(message.contains("nobodyWroteThis"), message);
  }
}
