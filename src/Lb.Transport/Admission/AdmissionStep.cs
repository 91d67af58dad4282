namespace Lb.Transport;

/// <summary>
/// Decides on a client by the address that its PROXY header names: comes after that step. A client that is to wait is held within its session: as long as a
/// tarpit holds, and then it is asked again.
/// </summary>
/// <param name="holdTime">How long a client is held: <see cref="GatewayOptions.TarpitTimeout"/>.</param>
internal sealed class AdmissionStep(TimeSpan holdTime) : IPreludeStep
{
    // It is read meanwhile, because its end matters; what it sends is kept, so there must be an end to that too.
    private const int MostKept = 16 * 1024;

    public TimeSpan Timeout => holdTime;

    public RelayEnd? TimedOut => null;

    public PreludeResult Begin(TcpPrelude prelude, out RelayEnd end)
    {
        end = RelayEnd.Denied;
        AccessAction action = Ask(prelude, again: false);
        return action switch
        {
            AccessAction.Allow => PreludeResult.Done,
            AccessAction.Tarpit or AccessAction.Delay => PreludeResult.NeedMore,
            AccessAction.SilentDrop => Vanish(prelude),
            _ => PreludeResult.Refused,
        };
    }

    public PreludeResult Look(TcpPrelude prelude, ReadOnlySpan<byte> bytes, bool isEnd, out int consumed, out RelayEnd end)
    {
        consumed = 0;
        end = RelayEnd.Denied;
        if (!isEnd) return bytes.Length > MostKept ? PreludeResult.Refused : PreludeResult.NeedMore;
        return Ask(prelude, again: true) == AccessAction.Allow ? PreludeResult.Done : PreludeResult.Refused;
    }

    private static AccessAction Ask(TcpPrelude prelude, bool again)
    {
        AccessAction action = prelude.Admission.Decide(prelude.Source, prelude.Now, again).Action;
        if (action == AccessAction.Allow) prelude.Admitted();
        return action;
    }

    private static PreludeResult Vanish(TcpPrelude prelude)
    {
        prelude.Vanish();
        return PreludeResult.Refused;
    }
}
