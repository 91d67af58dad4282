namespace Lb.Transport.Tests.Reactor;

/// <summary>Tests that take the descriptors away from the whole process: nothing else may run meanwhile.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class NoDescriptors
{
    public const string Name = "no descriptors";
}
