using Microsoft.Extensions.Logging;

namespace Lb.Vrrp;

/// <summary>Runs a program again and again: it is well while it ends with 0 (keepalived <c>vrrp_script</c>). When its time is up it is killed with its process group.</summary>
internal sealed class CommandTracker(RouterTrackOptions options, TimeProvider time, ILogger logger) : JudgedTracker(options, time, logger)
{
    private readonly CommandLine _command = new([.. options.Command]) { User = options.User };

    public override string Name => $"command {_command.Words[0]}";

    protected override async ValueTask<(bool Passed, string Text)> LookAsync(CancellationToken limit) =>
        CommandWords.Tell(await ExternalCommand.RunAsync(_command, limit).ConfigureAwait(false));
}
