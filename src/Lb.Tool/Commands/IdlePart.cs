namespace Lb.Tool;

/// <summary>Takes a section of the configuration as it is: for verbs that don't do what it says.</summary>
/// <param name="handles">Name of the section.</param>
internal sealed class IdlePart(string handles) : ILbPart
{
    public int Order => 1000;

    public string Handles => handles;

    public void Validate(LbOptions options, ICollection<ConfigurationError> errors)
    {
    }

    public Task ApplyAsync(LbOptions options, CancellationToken ct) => Task.CompletedTask;

    public Task StopAsync(CancellationToken ct) => Task.CompletedTask;
}
