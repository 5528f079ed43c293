/// The executor of tasks that have no parent to inherit it from: the common one, unless a simulation runs.
///
/// A simulation decides in which order everything happens. Child tasks follow it by themselves, and tasks of their own
/// only if they are told: `Task(executorPreference: SimulatedTasks.executor) { … }`.
public enum SimulatedTasks {
    /// The executor of the simulation that runs here; `nil` outside of simulations.
    @TaskLocal public static var executor: (any TaskExecutor)?
}
