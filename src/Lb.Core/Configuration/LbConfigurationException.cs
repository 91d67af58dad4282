namespace Lb;

/// <summary>A configuration can't be used; <see cref="Errors"/> holds every fault.</summary>
public sealed class LbConfigurationException : Exception
{
    /// <summary>Makes it from the faults.</summary>
    /// <param name="errors">The faults.</param>
    public LbConfigurationException(IReadOnlyList<ConfigurationError> errors)
        : base($"The configuration has {errors?.Count ?? 0} error(s):{Environment.NewLine}{string.Join(Environment.NewLine, errors ?? [])}")
    {
        Errors = errors ?? [];
    }

    /// <summary>Makes it with a message of the caller's.</summary>
    /// <param name="message">The message.</param>
    public LbConfigurationException(string message)
        : base(message)
    {
    }

    /// <summary>Makes it with a message and a cause.</summary>
    /// <param name="message">The message.</param>
    /// <param name="innerException">The cause.</param>
    public LbConfigurationException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Makes it without faults.</summary>
    public LbConfigurationException()
    {
    }

    /// <summary>The faults, each with its path and value.</summary>
    public IReadOnlyList<ConfigurationError> Errors { get; } = [];
}
