namespace Lb.Transport;

/// <summary>Checks the settings that all gateways share.</summary>
internal static class TransportValidation
{
    /// <param name="options">The configuration.</param>
    /// <param name="running">What the loops that run were made from; null: none run.</param>
    /// <param name="errors">Takes the faults.</param>
    public static void Validate(LbOptions options, TransportOptions? running, ICollection<ConfigurationError> errors)
    {
        string path = $"{options.Path}:Transport";
        TransportOptions wanted = options.Transport;
        if (!CpuList.TryRead(wanted.CpuAffinity, ThreadAffinity.Allowed(), out _, out string? error)) errors.Add(new($"{path}:CpuAffinity", wanted.CpuAffinity, error));
        if (wanted.HandOver is not null && !OperatingSystem.IsLinux()) errors.Add(new($"{path}:HandOver", wanted.HandOver, "is to be had on Linux only"));
        else if (wanted.HandOver is not null && HandOverAddress(wanted) is null) errors.Add(new($"{path}:HandOver", wanted.HandOver, "must be a Unix socket, such as unix:/run/lb-handover.sock"));
        else if (running is null && !options.SkipPortChecks && HandOverAddress(wanted) is { } address && UnixSocketFile.PathOf(address) is { } file
            && GatewayValidation.Misplaced(file) is { } misplaced) errors.Add(new($"{path}:HandOver", wanted.HandOver, misplaced));
        if (running is null) return;
        Same("Driver", running.Driver, wanted.Driver);
        Same("Loops", $"{running.Loops}", $"{wanted.Loops}");
        Same("Splice", $"{running.Splice}", $"{wanted.Splice}");
        Same("CpuAffinity", running.CpuAffinity, wanted.CpuAffinity);
        Same("HandOver", running.HandOver, wanted.HandOver);

        void Same(string key, string? now, string? then)
        {
            if (now != then) errors.Add(new($"{path}:{key}", then, "can't be changed while the gateways run; start anew"));
        }
    }

    /// <summary>Where listening sockets are handed over; null: nowhere.</summary>
    public static System.Net.Sockets.UnixDomainSocketEndPoint? HandOverAddress(TransportOptions options) =>
        options.HandOver is not null && ListenAddress.TryParse(options.HandOver, out IReadOnlyList<ListenAddress>? addresses, out _)
            ? addresses[0].EndPoint as System.Net.Sockets.UnixDomainSocketEndPoint
            : null;
}
