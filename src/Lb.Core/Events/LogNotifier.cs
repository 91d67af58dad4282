using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lb;

/// <summary>Writes events to the host's log, with HAProxy's words. Stalled checks are logged by who finds them: what stalls them may stall this, too.</summary>
internal sealed class LogNotifier(ILogger<LogNotifier>? log = null) : INotifier
{
    private readonly ILogger _logger = log ?? NullLogger<LogNotifier>.Instance;

    public ValueTask NotifyAsync(LbEvent notice, CancellationToken ct)
    {
        switch (notice)
        {
            // One that had asked for no traffic is expected to go: HAProxy raises no alert for it either.
            case ServerStatusChanged { To: ServerStatus.Down, From: not ServerStatus.Stopping } e:
                CoreLog.ServerDown(_logger, e.Pool, e.Server, e.Cause ?? "no reason given");
                break;
            case ServerStatusChanged { To: ServerStatus.Ejected } e:
                CoreLog.ServerEjected(_logger, e.Pool, e.Server, e.Cause ?? "no reason given");
                break;
            case QuorumChanged { IsHeld: false } e:
                CoreLog.QuorumLost(_logger, e.Pool, e.Weight, e.Quorum);
                break;
            case QuorumChanged e:
                CoreLog.QuorumGained(_logger, e.Pool, e.Weight, e.Quorum);
                break;
            case ServerStatusChanged e:
                CoreLog.ServerChanged(_logger, e.Pool, e.Server, Word(e.To), Word(e.From), e.Cause ?? "no reason given");
                break;
            case ServerJoined e:
                CoreLog.ServerJoined(_logger, e.Pool, e.Server);
                break;
            case ServerLeft e:
                CoreLog.ServerLeft(_logger, e.Pool, e.Server);
                break;
            case PoolModeChanged { To: PoolMode.Down } e:
                CoreLog.PoolDown(_logger, e.Pool);
                break;
            case PoolModeChanged e:
                CoreLog.PoolModeChanged(_logger, e.Pool, e.To, e.From, e.Usable);
                break;
            case PolicyFailed e:
                CoreLog.PolicyFailed(_logger, e.Policy, e.Pool, e.Error);
                break;
            case ConfigurationReloaded { Errors.Count: 0 }:
                CoreLog.Reloaded(_logger);
                break;
            case ConfigurationReloaded e:
                CoreLog.ReloadRefused(_logger, string.Join(Environment.NewLine, e.Errors));
                break;
        }

        return ValueTask.CompletedTask;
    }

    internal static string Word(ServerStatus status) => status switch
    {
        ServerStatus.Up => "UP",
        ServerStatus.Down => "DOWN",
        ServerStatus.Drain => "DRAIN",
        ServerStatus.Ejected => "EJECTED",
        ServerStatus.Stopping => "NOLB",
        _ => "MAINT",
    };
}
