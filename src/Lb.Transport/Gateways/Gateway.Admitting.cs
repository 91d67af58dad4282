namespace Lb.Transport;

/// <content>Who is let in, and how fast.</content>
public abstract partial class Gateway
{
    private volatile AcceptPace? _pace;
    private volatile ProcessLimits? _process;

    /// <summary>Its rules of who is let in and its limits for each source, with what they have counted.</summary>
    public ConnectionAdmission Admission { get; } = new();

    /// <summary>Its clients are UDP sessions.</summary>
    private protected virtual bool HasSessions => false;

    /// <summary>What all gateways share.</summary>
    internal ProcessLimits Limits => _process!;

    /// <summary>Goes by new rules and limits from now on.</summary>
    /// <param name="context">The options.</param>
    internal void Admit(in GatewayContext context)
    {
        TimeProvider time = context.Loops.Loops[0].Time;
        Admission.Update(context.Options, Name, time, Logger);
        int rate = context.Options.SessionRate;
        if (rate != (_pace?.Limit ?? 0)) _pace = rate == 0 ? null : new AcceptPace(rate, time, AdjustAccepting);
        _process = context.Loops.Limits;
        _process.Follow(this);
        AdjustAccepting();
    }

    /// <summary>What all gateways share is full now, or is not any more.</summary>
    internal void FollowLimits() => AdjustAccepting();

    private bool IsHeldUp => _pace?.Rests == true || _process?.IsFull == true;

    // Nobody is let in any more.
    private void LetGo()
    {
        Released();
        _process?.Forget(this);
        Admission.Dispose();
    }
}
